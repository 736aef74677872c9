// Copyright (c) 2026, clawfleet.clawdbot contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Sends one message after the other to a model through the running gateway, until a file is there. To be run by the gateway's
// account.
//
// Arguments: the directory of the product's package, provider/model, and the file. Prints, as JSON, each answer or error and
// how often it came.
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

import { connect } from './client.mjs'

const [product, model, end] = process.argv.slice(2)
const call = await connect(product)
const sessionKey = `agent:main:${randomUUID()}`
await call('sessions.patch', { key: sessionKey, model })
const answers = {}
while (!existsSync(end)) {
  let said
  try {
    const params = { message: 'Say hello.', agentId: 'main', sessionKey, idempotencyKey: randomUUID() }
    said = (await call('agent', params, true)).result.payloads.map(payload => payload.text).join(' ')
  } catch (error) {
    said = String(error)
  }
  answers[said] = (answers[said] ?? 0) + 1
  // A message costs an OpenClaw seconds of CPU, which what goes on meanwhile needs as well.
  await sleep(5000)
}
console.log(JSON.stringify(answers))
process.exit()
