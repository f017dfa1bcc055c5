import { describe, expect, it } from 'vitest'
import { type ImageName, limits, type RequestId, type UnitName } from '../../api/index.ts'
import { type FakeHost, fakeHost } from '../../host/fakes.ts'
import { Jobs } from './service.ts'

const id = 'Qm9vbS1ub3QtcmVhbC1pZA' as RequestId
const unit = 'job-UW05dmJTMXViM1F0Y21WaGJDMXBaQQ.service' as UnitName
const signal = new AbortController().signal
const asked = { id, image: 'acme/tool' as ImageName, command: '/bin/check', args: ['--all', 'a  b'] }

/** The job's output once its unit has been brought to an end, or what it failed with. */
async function outcomeOf(host: FakeHost, end: () => void): Promise<string> {
  const text = (async () => {
    const pieces: string[] = []
    for await (const piece of await new Jobs(host).run(asked, signal)) pieces.push(piece)
    return pieces.join('')
  })().catch((error: Error) => error.message)
  await host.clock.advance(1)
  end()
  await host.clock.advance(6000)
  return text
}

describe('a job', () => {
  it('is a unit that runs a container as the original named it, with no more rights than others', async () => {
    const host = fakeHost()
    await outcomeOf(host, () => {
      const [transient] = host.units.transients
      expect(transient).toMatchObject({ name: unit, slice: 'container.slice', description: 'Job /bin/check of acme/tool' })
      expect(transient?.command.slice(0, 4)).toEqual([`${host.paths.libexec}/run-job`, `job-${id}`, 'docker', 'acme/tool'])
      expect(transient?.command).toContain('--entrypoint=/bin/check')
      expect(transient?.command.slice(-3)).toEqual(['acme/tool', '--all', 'a  b'])
      expect(transient?.command).toContain('no-new-privileges')
      host.units.exit(unit, { exitCode: 0 })
    })
  })

  it('answers its output until it has ended', async () => {
    const host = fakeHost()
    const text = await outcomeOf(host, () => {
      host.journal.add(unit, 'checked')
      host.units.exit(unit, { exitCode: 0 })
    })
    expect(text).toBe('checked\n')
  })

  it('that fails says with what', async () => {
    const host = fakeHost()
    expect(await outcomeOf(host, () => host.units.exit(unit, { exitCode: 3 }))).toBe('The job of acme/tool ended with exit code 3')
  })

  it('is refused when too many run', async () => {
    const host = fakeHost()
    const jobs = new Jobs(host)
    for (let count = 0; count < limits.oneOffJobs; count++) await jobs.run({ ...asked, id: `${id}${count}` as RequestId }, signal)
    await expect(jobs.run(asked, signal)).rejects.toMatchObject({ code: 'QUEUE_FULL' })
  })
})
