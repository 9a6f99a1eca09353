"""Where this tree came from: the tests write another word here before they build or publish it."""

ORIGIN = "the repository"
