"""The Kubernetes provider, with the same behaviour on every platform."""

import pulumi
import pulumi_kubernetes as k8s


def kubernetes_provider(
    name: str,
    *,
    kubeconfig: pulumi.Input[str] | None = None,
    context: str | None = None,
    opts: pulumi.ResourceOptions | None = None,
) -> k8s.Provider:
    """Return a provider for a kubeconfig's text, or for a context of the kubeconfig on this machine.

    ConfigMaps and Secrets are updated in place. By default they are replaced, and ours have fixed names, so they would be gone
    for a moment: a pod that starts just then could not.
    """
    return k8s.Provider(
        name,
        kubeconfig=kubeconfig,
        context=context,
        enable_config_map_mutable=True,
        enable_secret_mutable=True,
        opts=opts,
    )
