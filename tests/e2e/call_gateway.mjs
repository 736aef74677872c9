// Copyright (c) 2026, clawfleet.clawdbot contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Calls a method of a gateway once, by Clawdbot's own client without the rest of its CLI, which takes two seconds of CPU to
// start. Arguments: the directory of Clawdbot's package, port, token, method, parameters as JSON, and whether to wait for the
// final answer. Prints the answer as JSON.
import { pathToFileURL } from 'node:url'

const [product, port, token, method, params, final] = process.argv.slice(2)
const { callGateway } = await import(pathToFileURL(`${product}/dist/gateway/call.js`))
const call = () => callGateway({
  url: `ws://127.0.0.1:${port}`, token, method, params: JSON.parse(params), expectFinal: final === 'true', timeoutMs: 180000,
  config: {},
})
// A change of the config can restart the gateway inside its process: it is asked again once it listens.
let answer
for (let attempt = 1; answer === undefined; attempt += 1) {
  try {
    answer = await call()
  } catch (error) {
    if (attempt === 100 || !/ECONNREFUSED|gateway closed/.test(String(error))) {
      throw error
    }
    await new Promise((resolve) => { setTimeout(resolve, 500) })
  }
}
console.log(JSON.stringify(answer))
