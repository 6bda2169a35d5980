#!/usr/bin/env bash
# Make the picture of a report that the README shows, from a real run, with a headless Chromium (apt-get install chromium):
#
#   bash jobs/screenshots.sh RUN [DIRECTORY]
#
# writes report.png (for the README; default: to docs/images), and the whole page in light and dark, as wide as a
# desktop and as a phone, to the directory of the report.
set -euo pipefail
[ $# -ge 1 ] || { sed -n '2,7p' "$0"; exit 2; }
run=$1
images=${2:-$(dirname "${BASH_SOURCE[0]}")/../docs/images}
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
[ -n "$browser" ] || { echo "There is no Chromium here: apt-get install chromium" >&2; exit 1; }

mpi-automl report "$run"
page=$(realpath "$run/report/report.html")
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT

# Chromium's windows are no narrower than 500 pixels: a phone's page is shown in a frame.
printf '<body style="margin:0;background:gray"><iframe src="file://%s" width="390" height="9000" style="border:0">' "$page" \
    >"$profile/phone.html"

# shot FILE PAGE WIDTH HEIGHT THEME: theme 0 is dark and 1 is light.
shot() {
    "$browser" --headless=new --no-sandbox --disable-gpu --no-first-run --hide-scrollbars --user-data-dir="$profile" \
        --blink-settings=preferredColorScheme="$5" --window-size="$3,$4" --screenshot="$1" "file://$2" >/dev/null 2>&1
    echo "$1"
}

mkdir -p "$images"
shot "$images/report.png" "$page" 1180 1560 1
for theme in 0:dark 1:light; do
    shot "$run/report/desktop-${theme#*:}.png" "$page" 1240 6000 "${theme%:*}"
    shot "$run/report/phone-${theme#*:}.png" "$profile/phone.html" 500 9000 "${theme%:*}"
done
