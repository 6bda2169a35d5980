"""What is made of the features before they are learned from."""
