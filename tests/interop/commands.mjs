// What the tests can ask of a js-libp2p node: by name, functions of the node and what was given.

import { EventTypes } from '@libp2p/kad-dht'
import { peerIdFromString } from '@libp2p/peer-id'
import { lpStream } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'

const ECHO = '/p2pchat/interop/echo/1.0.0'
const PING = '/ipfs/ping/1.0.0'
const POLL = 20 // milliseconds

export const commands = {
  connections, dial, echo, findPeer, findProviders, identified, known, ping, provide, publish, reserve, serve,
  subscribe
}

async function dial (node, { address }) {
  const connection = await node.dial(multiaddr(address))
  return connection.remotePeer.toString()
}

// Waits until the peer has said what it is, and that it serves a protocol.
async function identified (node, { peer, serving = PING }) {
  for (;;) {
    const found = await node.peerStore.get(peerIdFromString(peer)).catch(() => undefined)
    const agent = found?.metadata.get('AgentVersion')
    if (agent !== undefined && found.protocols.includes(serving)) {
      return {
        agent: new TextDecoder().decode(agent),
        protocols: found.protocols,
        addresses: found.addresses.map(({ multiaddr }) => multiaddr.toString())
      }
    }
    await pause()
  }
}

// Serves one more protocol, of which nothing is asked.
async function serve (node, { protocol }) {
  await node.handle(protocol, (stream) => stream.close())
}

// Milliseconds.
async function ping (node, { peer }) {
  return node.services.ping.ping(peerIdFromString(peer))
}

// What comes back for a text, sent as one frame over a connection that is there. `dialProtocol` would dial again where
// there is only a circuit.
async function echo (node, { peer, text }) {
  const [connection] = node.getConnections(peerIdFromString(peer))
  const stream = await connection.newStream(ECHO, { runOnLimitedConnection: true })
  const frames = lpStream(stream)
  await frames.write(new TextEncoder().encode(text))
  const back = await frames.read()
  await stream.close()
  return new TextDecoder().decode(back.subarray())
}

function connections (node) {
  return node.getConnections().map((connection) => ({
    peer: connection.remotePeer.toString(),
    address: connection.remoteAddr.toString(),
    limited: connection.limits !== undefined
  }))
}

// Reserves at a relay; the addresses where we can be called then.
async function reserve (node, { address }) {
  await node.components.transportManager.listen([multiaddr(`${address}/p2p-circuit`)])
  return node.getMultiaddrs().map(String).filter((each) => each.includes('/p2p-circuit'))
}

function subscribe (node, { topic }) {
  node.services.gossip.subscribe(topic)
}

// Until the message is under way to that peer: js-libp2p drops it without a word as long as its own gossip stream is not
// open, although it may know already that the peer listens.
async function publish (node, { topic, text, to }) {
  const data = new TextEncoder().encode(text)
  for (;;) {
    const { recipients } = await node.services.gossip.publish(topic, data)
    if (recipients.some((each) => each.toString() === to)) {
      return
    }
    await pause()
  }
}

// Waits until the peer is in the routing table.
async function known (node, { peer }) {
  while (await node.services.dht.routingTable.find(peerIdFromString(peer)) === undefined) {
    await pause()
  }
}

// By asking others; null: nobody knows.
async function findPeer (node, { peer }) {
  for await (const event of node.services.dht.findPeer(peerIdFromString(peer))) {
    if (event.type === EventTypes.FINAL_PEER) {
      return { from: event.from.toString(), addresses: event.peer.multiaddrs.map(String) }
    }
  }
  return null
}

// Says in the DHT that we are in a room.
async function provide (node, { topic }) {
  for await (const event of node.services.dht.provide(await cidOf(topic))) {
    if (event.type === EventTypes.QUERY_ERROR) {
      throw event.error
    }
  }
}

// Peer ids; empty: nobody has said it.
async function findProviders (node, { topic }) {
  const found = new Set()
  for await (const event of node.services.dht.findProviders(await cidOf(topic))) {
    for (const { id } of event.type === EventTypes.PROVIDER ? event.providers : []) {
      found.add(id.toString())
    }
  }
  return [...found]
}

// What the members of a room are found under, as go-libp2p's routing discovery has it.
async function cidOf (topic) {
  return CID.createV1(raw.code, await sha256.digest(new TextEncoder().encode(topic)))
}

function pause () {
  return new Promise((resolve) => setTimeout(resolve, POLL))
}
