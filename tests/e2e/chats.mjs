// Copyright (c) 2026, clawfleet.clawdbot contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Sends one chat message after the other through a gateway, with Clawdbot's own client, until standard input ends and a
// message was answered. Prints a JSON string for each message: the answer or the error, or null for one that must wait.
import { pathToFileURL } from 'node:url'

const [product, port, token] = process.argv.slice(2)
const { callGateway } = await import(pathToFileURL(`${product}/dist/gateway/call.js`))

// No process runs, or one that was ended while it answered has left the lock of its sessions, which Clawdbot removes after
// 30 seconds. All chat clients try again then.
const WAITS = /gateway closed|ECONNREFUSED|session store lock/

let open = true
let answered = false
process.stdin.on('end', () => { open = false }).resume()
for (let count = 0; open || !answered; count += 1) {
  const params = { message: 'hi', agentId: 'main', sessionKey: `agent:main:${count}`, idempotencyKey: `${process.pid}-${count}` }
  try {
    const answer = await callGateway({
      url: `ws://127.0.0.1:${port}`, token, method: 'agent', params, expectFinal: true, timeoutMs: 60000, config: {},
    })
    answered = true
    console.log(JSON.stringify(answer.result.payloads.map(payload => payload.text).join(' ')))
  } catch (error) {
    answered = !WAITS.test(error.message)
    console.log(JSON.stringify(answered ? error.message : null))
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}
