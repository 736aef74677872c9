// Copyright (c) 2026, clawfleet.clawdbot contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// The running gateway of this account, called by its product's own client without the rest of its CLI, which takes seconds
// to start for each call.
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename } from 'node:path'

const PORT = 18789
const TIMEOUT = 60000
const CLIENTS = {
  clawdbot: async (directory) => {
    const { callGateway } = await import(`${directory}/dist/gateway/call.js`)
    const url = `ws://127.0.0.1:${PORT}`
    return (token, method, params, expectFinal) => (
      callGateway({ url, token, method, params, expectFinal, timeoutMs: TIMEOUT, config: {} })
    )
  },
  openclaw: async (directory) => {
    const { callGatewayFromCli } = await import(`${directory}/dist/plugin-sdk/gateway-runtime.js`)
    const options = { port: String(PORT), timeout: String(TIMEOUT), json: true }
    return (token, method, params, expectFinal) => callGatewayFromCli(method, { ...options, token, expectFinal }, params)
  },
}

// The token is read here, so that it is in no argv. It is in the one or the other; the config is JSON5, the hand's or the
// product's.
function readToken(product) {
  const [config, env] = [`${product}.json`, '.env'].map(name => readFileSync(`${homedir()}/.${product}/${name}`, 'utf8'))
  const inEnv = new RegExp(`^${product.toUpperCase()}_GATEWAY_TOKEN=["']?(.*?)["']?$`, 'm')
  return (env.match(inEnv) ?? config.match(/"?token"?: "(.*?)"/))[1]
}

// Returns what calls a method of the gateway; `directory` is that of the product's package.
export async function connect(directory) {
  const product = basename(directory)
  const [client, token] = [await CLIENTS[product](directory), readToken(product)]
  return (method, params, expectFinal = false) => client(token, method, params, expectFinal)
}
