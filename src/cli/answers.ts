/** What commands do with the answers of agents: print their text, and wait for what was only queued. */
import { contract, GearError, type Operation, type PortPair } from '../api/index.ts'
import { reportedFailure, request, type TextAnswer } from '../client/index.ts'
import { describePortPairs, parsePortPairs } from '../formats/index.ts'
import type { Context } from './context.ts'
import type { Call, Task } from './run.ts'

/** Side data first, then the text (spec §2.2). Answers the ports that were reserved. */
export async function sayAnswer({ sideData, text }: TextAnswer, say: (text: string) => Promise<void>): Promise<readonly PortPair[]> {
  const ports = portsOf(sideData)
  if (ports.length > 0) await say(`PortMapping: ${describePortPairs(ports)}\n`)
  for await (const piece of text) await say(piece)
  return ports
}

function portsOf(sideData: TextAnswer['sideData']): readonly PortPair[] {
  try {
    return parsePortPairs(sideData['PortMapping'] ?? '')
  } catch (cause) {
    throw new GearError('REPLY_UNEXPECTED', 'The agent answered with a port mapping that is none', { cause })
  }
}

/** The whole text of an answer that must have some. */
export async function wholeText({ hasText, text }: TextAnswer): Promise<string> {
  if (!hasText) throw new GearError('REPLY_UNEXPECTED', 'The agent sent no text')
  let whole = ''
  for await (const piece of text) whole += piece
  return whole
}

const waitsMax = 5
const rewaitMs = 1000

/**
 * Waits until a container has reached a state, showing what happens meanwhile. Throws the failure with its cause and next step. A wait that breaks off,
 * because the agent is restarted, is begun again: what is waited for does not need the agent.
 */
export async function waitFor(
  { pause }: Pick<Context, 'pause'>,
  call: Call<Task>,
  id: string,
  state: 'started' | 'stopped',
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await hearOf(call, id, state)
    } catch (error) {
      if (!(error instanceof GearError) || error.code !== 'HOST_UNREACHABLE' || attempt === waitsMax || call.signal.aborted) throw error
      await call.progress.update(call.task.name, 'the agent went away; asking the next one')
      await pause(rewaitMs)
    }
  }
}

async function hearOf(call: Call<Task>, id: string, state: 'started' | 'stopped'): Promise<void> {
  const { task, client, signal, say, progress } = call
  const wait = request('waitContainer', { params: { id }, query: { for: state } })
  try {
    for await (const event of await client.call(wait, { signal })) {
      switch (event.event) {
        case 'reached':
          await say(`${id}: ${event.message}\n`)
          return
        case 'failed':
          throw reportedFailure(event, contract.waitContainer as Operation)
        default:
          await progress.update(task.name, event.message)
      }
    }
  } finally {
    await progress.end(task.name)
  }
  throw new GearError('WAIT_TIMEOUT', `The agent stopped reporting before ${id} had ${state}`)
}
