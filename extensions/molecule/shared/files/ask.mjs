// Copyright (c) 2026, clawfleet.clawdbot contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Sends messages through the running gateway. To be run by the gateway's account.
//
// Arguments: the directory of the product's package; then provider/model for a message to it, AGENT=provider/model for one
// of another agent than main, or /alias for a person in a chat who switches to it and says hello. Prints, as JSON, for each
// of these what the mock server was asked for it: endpoint, model, fingerprint of the key, and status of the answer.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { connect } from './client.mjs'

const REQUESTS = 'http://127.0.0.1:18080/_mock_server/requests'
const [product, ...wanted] = process.argv.slice(2)
const call = await connect(product)

async function chats() {
  const requests = await (await fetch(REQUESTS)).json()
  return requests.filter(request => request.method === 'POST' && /(completions|messages)$/.test(request.path))
}

async function sendMessage(agentId, model) {
  const sessionKey = `agent:${agentId}:${randomUUID()}`
  await call('sessions.patch', { key: sessionKey, model })
  await call('agent', { message: 'Say hello.', agentId, sessionKey, idempotencyKey: randomUUID() }, true)
}

// As a person does, who reads the answer to one message before the next: the same question again tells whether it has ended.
async function chat(alias) {
  for (const message of [`/model ${alias}`, 'Say hello.']) {
    const params = { sessionKey: 'main', message, idempotencyKey: randomUUID() }
    for (let tries = 0; tries < 600 && (await call('chat.send', params)).status !== 'ok'; tries += 1) {
      await sleep(100)
    }
  }
}

const asked = {}
for (const argument of wanted) {
  await fetch(REQUESTS, { method: 'DELETE' })
  const [model, agent] = argument.split('=').reverse()
  await (argument.startsWith('/') ? chat(argument.slice(1)) : sendMessage(agent ?? 'main', model))
  const what = await chats()
  asked[argument] = [...new Set(what.map(r => `${r.product} ${r.model} ${r.key_fingerprint} ${r.status}`))].join(', ')
}
console.log(JSON.stringify(asked))
process.exit()
