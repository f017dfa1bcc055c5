/** The original README's way of working: curl against the API, as root on the host. */
import { afterAll, describe, expect, it } from 'vitest'
import { LabHost, until } from '../lab-host.ts'

const host = new LabHost('web1')
const id = 'my-sample-service.1'

/** What curl prints, with the status appended. */
const curl = (...args: readonly string[]) =>
  host.do(['curl', '-q', '-sS', '-w', '\n%{http_code}', ...args.slice(0, -1), `http://localhost:43273${args.at(-1)}`])

afterAll(async () => {
  await host.gear('delete', '--all', id)
  await host.sh('rm -f /var/lib/containers/env/contents/cu/curl-env')
})

describe('with curl', () => {
  it('a container is installed and started', async () => {
    const put = await host.sh(
      `curl -q -sS -i -X PUT http://localhost:43273/container/${id} -H "Content-Type: application/json" \\
         -d '{"image":"gear/httpd", "started":true, "ports":[{"internal":8080}]}'`,
    )
    expect(put).toMatch(/^HTTP\/1\.1 204 /)
    expect(put).toMatch(/^X-PortMapping: 8080:\d+\r$/m)
    await host.untilState(id, 'active')
  })

  it('the client of the original gets a stream of text', async () => {
    const answer = await host.sh(
      `curl -q -sS -i -X PUT http://localhost:43273/container/${id}/started -H "Transfer-Encoding: chunked" -d "" \\
         -H "Accept: application/json;stream=true" -H "X-Api-Version: 1" -H "X-Request-Id: Qm9vbS1ub3QtcmVhbC1pZA"`,
    )
    expect(answer).toMatch(/^HTTP\/1\.1 202 /)
    expect(answer).toMatch(/^content-type: text\/plain\r$/im)
  })

  it('status and log are text', async () => {
    expect(await curl(`/container/${id}/status`)).toMatch(/Active: active \(running\)[\s\S]*\n200$/)
    expect(await curl(`/container/${id}/log?lines=5`)).toMatch(/\n200$/)
  })

  it('the list is JSON', async () => {
    const [body = '', status] = (await curl('/containers')).split(/\n(?=\d+$)/)
    expect(status).toBe('200')
    expect(JSON.parse(body)).toEqual({
      Containers: expect.arrayContaining([{ Id: id, ActiveState: 'active', SubState: 'running', LoadState: 'loaded' }]),
    })
  })

  it('an environment is written, added to and read', async () => {
    expect(await curl('-X', 'PUT', '-d', '{"Variables":[{"Name":"A","Value":"B"}]}', '/environment/curl-env')).toBe('\n204')
    expect(await curl('-X', 'PATCH', '-d', '{"Variables":[{"Name":"C","Value":"D"}]}', '/environment/curl-env')).toBe('\n204')
    expect(await curl('/environment/curl-env')).toBe('A=B\nC=D\n\n200')
  })

  it('it is stopped and restarted', async () => {
    expect(await curl('-X', 'PUT', `/container/${id}/stopped`)).toBe('\n204')
    await host.untilState(id, 'inactive')
    expect(await curl('-X', 'PUT', `/container/${id}/started`)).toBe('\n204')
    await host.untilState(id, 'active')
    const pid = () => host.do(['docker', 'inspect', '-f', '{{.State.Pid}}', id])
    const before = await pid()
    expect(await curl('-X', 'POST', `/container/${id}/restart`)).toBe('\n204')
    await until('the process is another', async () => {
      const outcome = await host.exec(['docker', 'inspect', '-f', '{{.State.Pid}}', id])
      return outcome.exitCode === 0 && outcome.stdout !== before && outcome.stdout.trim() !== '0' ? true : outcome.stdout
    })
  })

  it('images are listed by their first tag', async () => {
    expect(await curl('/images')).toMatch(/^gear\/httpd:latest$/m)
  })

  it('it is deleted, and deleting again is fine', async () => {
    expect(await curl('-X', 'DELETE', `/container/${id}`)).toBe('\n204')
    expect(await curl('-X', 'DELETE', `/container/${id}`)).toBe('\n204')
    expect(await curl(`/container/${id}/status`)).toMatch(/"Message".*\n\n404$/)
  })
})
