// Command network-policies enforces NetworkPolicy on one node by nftables, in the network namespace it runs in.
//
// It watches pods, namespaces and policies, and replaces its table as a whole in one transaction whenever the rules they mean change.
package main

import (
	"context"
	"flag"
	"fmt"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

// settle is how long changes are gathered before the rules are made anew.
const settle = 50 * time.Millisecond

// retry is how long a failed transaction waits.
const retry = time.Second

func main() {
	kubeconfig := flag.String("kubeconfig", "", "file with the API server's address and this program's certificate")
	flag.Parse()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		klog.Fatalf("--kubeconfig: %v", err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := enforce(ctx, kubernetes.NewForConfigOrDie(config)); err != nil {
		klog.Fatal(err)
	}
}

// enforce keeps the table as the policies say until ctx ends.
func enforce(ctx context.Context, client kubernetes.Interface) error {
	factory := informers.NewSharedInformerFactory(client, 0)
	pods, namespaces := factory.Core().V1().Pods(), factory.Core().V1().Namespaces()
	policies := factory.Networking().V1().NetworkPolicies()
	changed := make(chan struct{}, 1)
	notify := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	handler := cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { notify() },
		UpdateFunc: func(any, any) { notify() },
		DeleteFunc: func(any) { notify() },
	}
	synced := []cache.InformerSynced{}
	for _, informer := range []cache.SharedIndexInformer{pods.Informer(), namespaces.Informer(), policies.Informer()} {
		if _, err := informer.AddEventHandler(handler); err != nil {
			return err
		}
		synced = append(synced, informer.HasSynced)
	}
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), synced...) {
		return nil
	}
	notify()
	applied := ""
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
		time.Sleep(settle)
		state := cluster{}
		var err error
		if state.pods, err = pods.Lister().List(labels.Everything()); err != nil {
			return err
		}
		if state.namespaces, err = namespaces.Lister().List(labels.Everything()); err != nil {
			return err
		}
		if state.policies, err = policies.Lister().List(labels.Everything()); err != nil {
			return err
		}
		rules := ruleset(state)
		if rules == applied {
			continue
		}
		if err := replace(ctx, rules); err != nil {
			klog.Errorf("the rules before stay: %v", err)
			time.AfterFunc(retry, notify)
			continue
		}
		klog.Infof("rules replaced: %d policies", len(state.policies))
		applied = rules
	}
}

// replace puts the table in place of the one before, at once.
func replace(ctx context.Context, rules string) error {
	command := exec.CommandContext(ctx, "nft", "-f", "-")
	command.Stdin = strings.NewReader(rules)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("nft: %w: %s", err, output)
	}
	return nil
}
