// Program pstest serves Google's own in-memory Pub/Sub fake on a free port of the loopback, prints
// "HOLDFAST_PUBSUB_HOST=address", and ends when its standard input does. The contract suite of the
// message bus runs against it: a server that nobody here wrote.
package main

import (
	"fmt"
	"io"
	"os"

	"cloud.google.com/go/pubsub/pstest"
)

func main() {
	server := pstest.NewServer()
	defer server.Close()
	fmt.Printf("HOLDFAST_PUBSUB_HOST=%s\n", server.Addr)
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
