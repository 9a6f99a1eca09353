package main

import (
	"fmt"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// table is ours alone; chains of other tables see the same packets and may drop what this one lets pass.
const table = "inet network-policies"

// cluster is what policies are read against.
type cluster struct {
	pods       []*core.Pod
	namespaces []*core.Namespace
	policies   []*networking.NetworkPolicy
}

// direction is one half of a policy, as seen from the pod it selects.
type direction struct {
	kind networking.PolicyType
	peer string // the address field of the other end
}

var (
	ingress = direction{networking.PolicyTypeIngress, "saddr"}
	egress  = direction{networking.PolicyTypeEgress, "daddr"}
)

// ruleset returns the nft script that replaces the table: one chain for each pod and direction that a policy isolates.
//
// A chain returns what a policy allows and drops the rest. Packets of accepted connections never reach one, and neither does what
// the node itself sends to a pod, which includes the kubelet's probes and port-forwards.
func ruleset(state cluster) string {
	var chains, from, to strings.Builder
	for _, pod := range state.running() {
		address := pod.Status.PodIP
		name := strings.NewReplacer(".", "-").Replace(address)
		if policies := state.isolating(pod, egress.kind); len(policies) > 0 {
			state.chain(&chains, "egress-"+name, pod, egress, policies)
			fmt.Fprintf(&from, "      %s : jump egress-%s,\n", address, name)
		}
		if policies := state.isolating(pod, ingress.kind); len(policies) > 0 {
			state.chain(&chains, "ingress-"+name, pod, ingress, policies)
			fmt.Fprintf(&to, "      %s : jump ingress-%s,\n", address, name)
		}
	}
	known := "    ct state established,related accept\n"
	return fmt.Sprintf("add table %[1]s\ndelete table %[1]s\ntable %[1]s {\n%[2]s%[3]s%[4]s"+
		"  chain forward {\n    type filter hook forward priority filter\n%[5]s    ip saddr vmap @from\n    ip daddr vmap @to\n  }\n"+
		"  chain input {\n    type filter hook input priority filter\n%[5]s    ip saddr vmap @from\n  }\n}\n",
		table, chains.String(), verdicts("from", from.String()), verdicts("to", to.String()), known)
}

func verdicts(name, elements string) string {
	if elements != "" {
		elements = "    elements = {\n" + elements + "    }\n"
	}
	return fmt.Sprintf("  map %s {\n    type ipv4_addr : verdict\n%s  }\n", name, elements)
}

// running returns the pods with an address of their own, in a fixed order.
func (c cluster) running() []*core.Pod {
	pods := slices.DeleteFunc(slices.Clone(c.pods), func(pod *core.Pod) bool {
		ended := pod.Status.Phase == core.PodSucceeded || pod.Status.Phase == core.PodFailed
		return pod.Spec.HostNetwork || ended || pod.Status.PodIP == ""
	})
	slices.SortFunc(pods, func(a, b *core.Pod) int { return strings.Compare(a.Status.PodIP, b.Status.PodIP) })
	return pods
}

// isolating returns the policies that select the pod and speak of the direction.
func (c cluster) isolating(pod *core.Pod, kind networking.PolicyType) []*networking.NetworkPolicy {
	found := slices.DeleteFunc(slices.Clone(c.policies), func(policy *networking.NetworkPolicy) bool {
		selected := policy.Namespace == pod.Namespace && matches(&policy.Spec.PodSelector, pod.Labels)
		return !selected || !slices.Contains(policy.Spec.PolicyTypes, kind)
	})
	slices.SortFunc(found, func(a, b *networking.NetworkPolicy) int { return strings.Compare(a.Name, b.Name) })
	return found
}

func (c cluster) chain(out *strings.Builder, name string, pod *core.Pod, way direction, policies []*networking.NetworkPolicy) {
	fmt.Fprintf(out, "  chain %s {\n", name)
	// A pod may always speak to itself, also by way of a Service.
	fmt.Fprintf(out, "    ip %s %s return\n", way.peer, pod.Status.PodIP)
	for _, policy := range policies {
		if way == ingress {
			for _, rule := range policy.Spec.Ingress {
				c.allow(out, pod, way, policy.Namespace, rule.From, rule.Ports)
			}
			continue
		}
		for _, rule := range policy.Spec.Egress {
			c.allow(out, pod, way, policy.Namespace, rule.To, rule.Ports)
		}
	}
	out.WriteString("    drop\n  }\n")
}

// allow writes the lines of one rule of a policy. No peers means every peer, no ports every port.
func (c cluster) allow(
	out *strings.Builder, pod *core.Pod, way direction, namespace string, peers []networking.NetworkPolicyPeer, ports []networking.NetworkPolicyPort,
) {
	if len(peers) == 0 {
		c.allowPorts(out, "", pod, way, c.running(), ports)
	}
	chosen := slices.DeleteFunc(c.running(), func(other *core.Pod) bool {
		return !slices.ContainsFunc(peers, func(peer networking.NetworkPolicyPeer) bool { return c.selects(peer, namespace, other) })
	})
	if len(chosen) > 0 {
		c.allowPorts(out, addresses(way, chosen), pod, way, chosen, ports)
	}
	for _, peer := range peers {
		if peer.IPBlock == nil || strings.Contains(peer.IPBlock.CIDR, ":") {
			continue
		}
		block := fmt.Sprintf("ip %s %s ", way.peer, peer.IPBlock.CIDR)
		if len(peer.IPBlock.Except) > 0 {
			block += fmt.Sprintf("ip %s != { %s } ", way.peer, strings.Join(peer.IPBlock.Except, ", "))
		}
		c.allowPorts(out, block, pod, way, c.running(), ports)
	}
}

// allowPorts writes a line for each port; match limits the peers, others are the pods among them, whose names a named port may be.
func (c cluster) allowPorts(
	out *strings.Builder, match string, pod *core.Pod, way direction, others []*core.Pod, ports []networking.NetworkPolicyPort,
) {
	if len(ports) == 0 {
		fmt.Fprintf(out, "    %sreturn\n", match)
	}
	for _, port := range ports {
		protocol := "tcp"
		if port.Protocol != nil {
			protocol = strings.ToLower(string(*port.Protocol))
		}
		switch {
		case port.Port == nil:
			fmt.Fprintf(out, "    %smeta l4proto %s return\n", match, protocol)
		case port.Port.Type == intstr.Int && port.EndPort != nil:
			fmt.Fprintf(out, "    %s%s dport %d-%d return\n", match, protocol, port.Port.IntVal, *port.EndPort)
		case port.Port.Type == intstr.Int:
			fmt.Fprintf(out, "    %s%s dport %d return\n", match, protocol, port.Port.IntVal)
		case way == ingress:
			for _, number := range numbers(pod, port.Port.StrVal, protocol) {
				fmt.Fprintf(out, "    %s%s dport %d return\n", match, protocol, number)
			}
		default:
			// The name is the peer's: each pod has its own number for it.
			for _, other := range others {
				for _, number := range numbers(other, port.Port.StrVal, protocol) {
					fmt.Fprintf(out, "    %s%s%s dport %d return\n", match, addresses(way, []*core.Pod{other}), protocol, number)
				}
			}
		}
	}
}

// selects tells whether the peer names the pod by labels; a policy's own namespace is meant where it names none.
func (c cluster) selects(peer networking.NetworkPolicyPeer, namespace string, pod *core.Pod) bool {
	if peer.IPBlock != nil {
		return false
	}
	if peer.PodSelector != nil && !matches(peer.PodSelector, pod.Labels) {
		return false
	}
	if peer.NamespaceSelector == nil {
		return pod.Namespace == namespace
	}
	return slices.ContainsFunc(c.namespaces, func(one *core.Namespace) bool {
		return one.Name == pod.Namespace && matches(peer.NamespaceSelector, one.Labels)
	})
}

func matches(selector *meta.LabelSelector, set map[string]string) bool {
	compiled, err := meta.LabelSelectorAsSelector(selector)
	// The API server validates selectors; one it would refuse selects nothing.
	return err == nil && compiled.Matches(labels.Set(set))
}

func addresses(way direction, pods []*core.Pod) string {
	found := make([]string, len(pods))
	for index, pod := range pods {
		found[index] = pod.Status.PodIP
	}
	return fmt.Sprintf("ip %s { %s } ", way.peer, strings.Join(slices.Compact(found), ", "))
}

// numbers returns the ports of a pod's containers that have the name.
func numbers(pod *core.Pod, name, protocol string) []int32 {
	var found []int32
	sidecars := slices.DeleteFunc(slices.Clone(pod.Spec.InitContainers), func(one core.Container) bool {
		return one.RestartPolicy == nil || *one.RestartPolicy != core.ContainerRestartPolicyAlways
	})
	for _, container := range slices.Concat(pod.Spec.Containers, sidecars) {
		for _, port := range container.Ports {
			if port.Name == name && strings.EqualFold(string(port.Protocol), protocol) {
				found = append(found, port.ContainerPort)
			}
		}
	}
	return found
}
