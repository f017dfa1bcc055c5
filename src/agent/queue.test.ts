import { expect, test } from 'vitest'
import { Lanes } from './queue.ts'

interface Held {
  readonly release: () => void
  readonly done: Promise<void>
}

function hold(lanes: Lanes, lane: 'job' | 'stream'): Held {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { release: resolve, done: lanes.run(lane, () => promise) }
}

const bounds = { jobsRunning: 2, jobsWaiting: 1, streamsRunning: 1 }

test('jobs beyond those that run wait for their turn, and one more is refused with a time to come again', async () => {
  const lanes = new Lanes(bounds)
  const held = [hold(lanes, 'job'), hold(lanes, 'job'), hold(lanes, 'job')]
  await expect(hold(lanes, 'job').done).rejects.toMatchObject({ code: 'QUEUE_FULL', retryAfterSeconds: 1 })
  for (const { release, done } of held) {
    release()
    await done
  }
  await expect(lanes.run('job', async () => 'next')).resolves.toBe('next')
})

test('streams are counted apart from jobs and never wait', async () => {
  const lanes = new Lanes(bounds)
  const stream = hold(lanes, 'stream')
  await expect(hold(lanes, 'stream').done).rejects.toMatchObject({ code: 'QUEUE_FULL' })
  await expect(lanes.run('job', async () => 'a job')).resolves.toBe('a job')
  stream.release()
  await stream.done
  await expect(lanes.run('stream', async () => 'a stream')).resolves.toBe('a stream')
})

test('with no room to wait, jobs run up to their number', async () => {
  const lanes = new Lanes({ ...bounds, jobsWaiting: 0 })
  const held = [hold(lanes, 'job'), hold(lanes, 'job')]
  await expect(hold(lanes, 'job').done).rejects.toMatchObject({ code: 'QUEUE_FULL' })
  for (const { release } of held) release()
})

test('direct work needs no turn', async () => {
  const lanes = new Lanes({ jobsRunning: 1, jobsWaiting: 0, streamsRunning: 0 })
  const job = hold(lanes, 'job')
  await expect(lanes.run('direct', async () => 'at once')).resolves.toBe('at once')
  job.release()
})

test('a job that fails gives its turn back', async () => {
  const lanes = new Lanes({ ...bounds, jobsRunning: 1 })
  await expect(
    lanes.run('job', async () => {
      throw new Error('broken')
    }),
  ).rejects.toThrow('broken')
  await expect(
    lanes.run('stream', () => {
      throw new Error('broken')
    }),
  ).rejects.toThrow('broken')
  await expect(lanes.run('job', async () => 1)).resolves.toBe(1)
  await expect(lanes.run('stream', async () => 2)).resolves.toBe(2)
})
