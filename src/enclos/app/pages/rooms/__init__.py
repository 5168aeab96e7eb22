"""The pages of people who signed in, a template each, in one frame."""
