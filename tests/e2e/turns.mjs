// Copyright (c) 2026, clawfleet.clawdbot contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Sends one message after the other through a gateway, by the product's own client, until standard input ends.
// Prints a JSON text a message: what was answered, or null where the gateway was not to be reached.
import { pathToFileURL } from 'node:url'

const [product, port, token] = process.argv.slice(2)
const { callGateway } = await import(pathToFileURL(`${product}/dist/gateway/call.js`))

let open = true
process.stdin.on('end', () => { open = false }).resume()
for (let count = 0; open; count += 1) {
  const params = { message: 'hi', agentId: 'main', sessionKey: `agent:main:${count}`, idempotencyKey: `${process.pid}-${count}` }
  try {
    const answer = await callGateway({
      url: `ws://127.0.0.1:${port}`, token, method: 'agent', params, expectFinal: true, timeoutMs: 60000, config: {},
    })
    console.log(JSON.stringify(answer.result.payloads.map(payload => payload.text).join(' ')))
  } catch (error) {
    // A message to a gateway that is being restarted waits: whoever sends it tries again.
    console.log(JSON.stringify(/gateway closed|ECONNREFUSED/.test(error.message) ? null : error.message))
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}
