// Copyright (c) 2026, clawfleet.clawdbot contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Calls methods of a gateway by its product's own client, one after the other, in one process: the CLI takes seconds of CPU
// to start. Arguments: the product, the directory of its package, port, token. Each line of standard input is a call as
// JSON: method, params, timeout in milliseconds, final. Prints for each a line of JSON: the answer, or the error.
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const [product, directory, port, token] = process.argv.slice(2)
const load = (file) => import(pathToFileURL(`${directory}/dist/${file}`))
const clients = {
  clawdbot: async () => {
    const { callGateway } = await load('gateway/call.js')
    return ({ method, params, timeout, final }) => callGateway({
      url: `ws://127.0.0.1:${port}`, token, method, params, expectFinal: final, timeoutMs: timeout, config: {},
      clientName: 'cli', mode: 'cli',
    })
  },
  openclaw: async () => {
    const { callGatewayFromCli } = await load('plugin-sdk/gateway-runtime.js')
    return ({ method, params, timeout, final }) => callGatewayFromCli(
      method, { port, token, timeout: String(timeout), expectFinal: final, json: true }, params,
    )
  },
}
const call = await clients[product]()
for await (const line of createInterface({ input: process.stdin })) {
  try {
    console.log(JSON.stringify({ answer: await call(JSON.parse(line)) }))
  } catch (error) {
    console.log(JSON.stringify({ error: String(error) }))
  }
}
process.exit()
