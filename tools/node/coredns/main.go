// Command coredns is CoreDNS with the plugins that a cluster's DNS uses: the others are most of its dependencies.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/template"
)

func init() {
	// The order in which a question meets them: what is no name of the cluster comes to the last.
	dnsserver.Directives = []string{"ready", "health", "errors", "cache", "kubernetes", "template"}
}

func main() {
	coremain.Run()
}
