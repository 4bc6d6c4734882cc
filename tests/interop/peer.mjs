// One js-libp2p node, told what to do by JSON lines on stdin; js_peer.py is the other end.
//
// Says {"event": "ready", ...} once it listens, then answers each {"id", "do", ...} by {"id", "ok"} or
// {"id", "error"}. Ends when stdin does, so that it never outlives the tests.

import './node20.mjs'

import { createInterface } from 'node:readline'
import { commands } from './commands.mjs'
import { createNode } from './node.mjs'

function say (line) {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

async function answer (node, { id, do: name, ...given }) {
  try {
    say({ id, ok: (await commands[name](node, given)) ?? null })
  } catch (error) {
    say({ id, error: `${error.name}: ${error.message}` })
  }
}

const node = await createNode(JSON.parse(process.argv[2]), say)
say({
  event: 'ready',
  peer: node.peerId.toString(),
  addresses: node.getMultiaddrs().map(String)
})
for await (const line of createInterface({ input: process.stdin })) {
  answer(node, JSON.parse(line))
}
process.exit(0)
