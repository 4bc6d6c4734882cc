// A js-libp2p node as the tests want it: TCP, Noise and Yamux, on the addresses and with the services named.

import { autoNAT } from '@libp2p/autonat'
import { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { dcutr } from '@libp2p/dcutr'
import { gossipsub } from '@libp2p/gossipsub'
import { identify, identifyPush } from '@libp2p/identify'
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'

const ECHO = '/p2pchat/interop/echo/1.0.0'
const HEARTBEAT = 300 // milliseconds; 1 s by default

const services = {
  autonat: () => autoNAT(),
  dcutr: () => dcutr(),
  // What is on loopback is kept, and nobody is waited for: the tests' networks are that small.
  dht: () => kadDHT({
    protocol: '/ipfs/kad/1.0.0',
    clientMode: false,
    peerInfoMapper: passthroughMapper,
    allowQueryWithZeroPeers: true
  }),
  gossip: () => gossipsub({ heartbeatInterval: HEARTBEAT, allowPublishToZeroTopicPeers: true }),
  relay: () => circuitRelayServer()
}

export async function createNode ({ listen, with: wanted }, say) {
  const node = await createLibp2p({
    addresses: { listen },
    transports: [tcp(), circuitRelayTransport()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: {
      identify: identify({ runOnLimitedConnection: true }),
      identifyPush: identifyPush({ runOnLimitedConnection: true }),
      ping: ping({ runOnLimitedConnection: true }),
      ...Object.fromEntries(wanted.map((name) => [name, services[name]()]))
    }
  })
  await node.handle(ECHO, echo, { runOnLimitedConnection: true })
  tell(node, say)
  await node.services.dht?.setMode('server', { force: true })
  return node
}

async function echo (stream) {
  for await (const chunk of stream) {
    stream.send(chunk.subarray())
  }
  await stream.close()
}

function tell (node, say) {
  node.services.gossip?.addEventListener('message', ({ detail }) => say({
    event: 'message',
    topic: detail.topic,
    from: detail.from.toString(),
    text: new TextDecoder().decode(detail.data)
  }))
}
