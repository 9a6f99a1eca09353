"""Guard rails for a stack, as a Pulumi policy pack: ``pulumi preview --policy-pack policy``."""
