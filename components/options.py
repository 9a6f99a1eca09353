"""Resource options that more than one component gives its children."""

import pulumi


def stateful(parent: pulumi.Resource, *, protect: bool) -> pulumi.ResourceOptions:
    """Return options of a child that holds data: with ``protect``, it refuses deletion and outlives its stack."""
    return pulumi.ResourceOptions(parent=parent, protect=protect, retain_on_delete=protect)


def beside_data(parent: pulumi.Resource, *, protect: bool) -> pulumi.ResourceOptions:
    """Return options of a child that guards data: with ``protect``, it outlives its stack as the data does."""
    return pulumi.ResourceOptions(parent=parent, retain_on_delete=protect)
