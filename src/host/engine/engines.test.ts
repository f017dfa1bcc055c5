import { expect, test } from 'vitest'
import { enginesOf } from './engines.ts'
import { engineUnavailable, NoAnswer } from './errors.ts'
import { FakeEngine } from './fake.ts'

function host(away: readonly ('docker' | 'podman')[]) {
  const engines = { docker: new FakeEngine('docker'), podman: new FakeEngine('podman') }
  for (const kind of away) engines[kind].isAway = true
  return engines
}

test.each<{ away: readonly ('docker' | 'podman')[]; kind: string }>([
  { away: [], kind: 'docker' },
  { away: ['docker'], kind: 'podman' },
  { away: ['podman'], kind: 'docker' },
  { away: ['docker', 'podman'], kind: 'docker' },
])('with $away away, new containers go to $kind', async ({ away, kind }) => {
  expect((await enginesOf(host(away), 'auto').choose()).kind).toBe(kind)
})

test('a docker that hangs is not taken for one that is not there', async () => {
  const engines = host([])
  engines.docker.fail('ping', '*', engineUnavailable('/run/docker.sock', new NoAnswer(10_000)))
  expect((await enginesOf(engines, 'auto').choose()).kind).toBe('docker')
})

test('what an administrator chose is not second-guessed, and no engine is asked', async () => {
  const engines = host(['podman'])
  expect((await enginesOf(engines, 'podman').choose()).kind).toBe('podman')
  expect(engines.podman.calls).toEqual([])
})

test('a mistake in an adapter is no engine that is away', async () => {
  const engines = host([])
  engines.docker.fail('ping', '*', new TypeError('a mistake'))
  await expect(enginesOf(engines, 'auto').choose()).rejects.toThrow(TypeError)
})
