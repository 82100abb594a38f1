"""A Ray cluster of two nodes in a process of its own, which does as it is told.

    python nodes.py

prints the cluster's address. A line on its standard input kills a node at once, and
is answered by the id of the node; the end of the input ends the cluster.
"""

from __future__ import annotations

import sys


def main() -> None:
    """A head without room for work, and two nodes with room for one task each."""
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    for _ in range(2):
        cluster.add_node(num_cpus=1)
    print(cluster.address, flush=True)  # noqa: T201
    for _ in sys.stdin:
        node = min(cluster.worker_nodes, key=lambda n: str(n.node_id))
        cluster.remove_node(node, allow_graceful=False)
        print(node.node_id, flush=True)  # noqa: T201
    cluster.shutdown()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
