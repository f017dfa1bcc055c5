/** The agent of this host as the claims use it: its API on loopback, and as many installed containers as a claim is about. */
import { type Answer, type Call, Caller } from './caller.ts'

export const agentPort = 43_273

/** An image that serves a page on 8080; every lab host has it. */
export const image = 'gear/httpd'

export const asJson = { Accept: 'application/json' } as const

/** Installs a container with one port, not started; `more` is merged into the body. */
export function install(caller: Caller, id: string, more: Readonly<Record<string, unknown>> = {}): Promise<Answer> {
  return caller.do(installCall(id, more))
}

export function installCall(id: string, more: Readonly<Record<string, unknown>> = {}): Call {
  return { method: 'PUT', path: `/container/${id}`, body: { Image: image, Ports: [{ Internal: 8080, External: 0 }], ...more } }
}

/**
 * `count` ids that begin alike: all in one partition, so that making partitions is no part of what is measured and folders are as full as
 * they can get.
 */
export function ids(set: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `bench-${set}-${index}`)
}

/** Installs many, 16 at a time, not timed. */
export async function installAll(names: readonly string[], more: Readonly<Record<string, unknown>> = {}): Promise<void> {
  using caller = new Caller(agentPort, 16)
  await atOnce(16, names, id => install(caller, id, more))
}

export async function deleteAll(names: readonly string[]): Promise<void> {
  using caller = new Caller(agentPort, 16)
  await atOnce(16, names, id => caller.do({ method: 'DELETE', path: `/container/${id}` }))
}

/** Runs the task for every item, so many at once, and gives the results in the order of the items. */
export async function atOnce<Item, Result>(
  width: number,
  items: readonly Item[],
  task: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = []
  const waiting = items.entries()
  const worker = async (): Promise<void> => {
    for (const [index, item] of waiting) results[index] = await task(item)
  }
  await Promise.all(Array.from({ length: width }, worker))
  return results
}

/** Calls again and again until the answer is yes. */
export async function until(what: string, isSo: () => Promise<boolean>, { everyMs = 20, limitMs = 60_000 } = {}): Promise<void> {
  const deadline = performance.now() + limitMs
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`after ${limitMs} ms it is not so that ${what}`)
    await new Promise(resolve => setTimeout(resolve, everyMs))
  }
}

/** Waits until systemd has the container in this state. */
export async function untilState(caller: Caller, id: string, state: string, everyMs = 20): Promise<void> {
  const isSo = async () => {
    const { body } = await caller.do({ method: 'GET', path: `/container/${id}/status`, headers: asJson })
    return (JSON.parse(body) as { ActiveState: string }).ActiveState === state
  }
  await until(`${id} is ${state}`, isSo, { everyMs })
}
