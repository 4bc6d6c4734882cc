"""Sizes and counts that the parts of the DHT rely on."""

from __future__ import annotations

KAD_PROTOCOL = "/ipfs/kad/1.0.0"

K = 20  # peers that keep a record, peers in a bucket, peers in an answer; the specification's k
ALPHA = 3  # questions of one look-up under way; the specification says 3, go-libp2p 10
# Peers that keep a record of ours; 20 in the specification. A connection costs both sides so much (Noise, identify,
# greetings: 30 ms of a fast core) that twenty nodes which start together would be busy with nothing else.
REPLICAS = 8
BETA = 3  # nearest peers that must have answered before a look-up may end; go-libp2p's number

REQUEST_LIMIT = 64 * 1024  # bytes of a frame that asks
ANSWER_LIMIT = 256 * 1024  # bytes of a frame that answers
KEY_BYTES = 128  # of the longest key; a multihash of 64 bytes, or "/<namespace>/<peer id>"
PROVIDER_KEY_BYTES = 80  # of a multihash; go-libp2p's bound
ADDRESSES = 8  # kept and told of one peer
