package store_test

// childEnv makes the test binary another program: see child.
const childEnv = "SALLYPORT_STORE_CHILD"

func child() int { return 1 }
