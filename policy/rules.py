"""All guard rails."""

from policy import cluster, database, identity, network, pods, storage

RULES = (*storage.RULES, *database.RULES, *cluster.RULES, *identity.RULES, *pods.RULES, *network.RULES)
