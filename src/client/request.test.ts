import { describe, expect, it } from 'vitest'
import { request } from './request.ts'

describe('request', () => {
  it('writes inside names as wire names, and leaves out what was not given', () => {
    const { target, payload } = request('installContainer', {
      params: { id: 'web-1' },
      body: { image: 'acme/shop', ports: [{ internal: 8080, external: 0 }], started: true, memory: '512m', networkLinks: undefined },
    })
    expect(target).toBe('/container/web-1')
    expect(JSON.parse(payload ?? '')).toEqual({
      Image: 'acme/shop',
      Ports: [{ Internal: 8080, External: 0 }],
      Started: true,
      Memory: '512m',
    })
  })

  it('gives a handler the parsed values', () => {
    const { body } = request('installContainer', { params: { id: 'web-1' }, body: { image: 'acme/shop', memory: '512m', cpus: '1.5' } })
    expect(body).toMatchObject({ memory: 512 * 2 ** 20, cpus: 1.5, restart: 'on-failure', systemdSlice: 'container-small' })
  })

  it('writes query parameters, and leaves out those that are false', () => {
    expect(request('listContainers', { query: { all: true } }).target).toBe('/containers?all=1')
    expect(request('listContainers', { query: { all: false } }).target).toBe('/containers')
    expect(request('containerLog', { params: { id: 'web-1' }, query: { since: '-10m', lines: 5 } }).target).toBe(
      '/container/web-1/log?since=-10m&lines=5',
    )
  })

  it('has no body where nothing is given', () => {
    expect(request('startContainer', { params: { id: 'web-1' } }).payload).toBeUndefined()
    expect(request('stopContainer', { params: { id: 'web-1' } }).payload).toBeUndefined()
    expect(request('stopContainer', { params: { id: 'web-1' }, body: { wait: true } }).payload).toBe('{"Wait":true}')
  })

  it('refuses what breaks a rule before anything is sent, naming every field', () => {
    const make = () => request('installContainer', { params: { id: 'web-1' }, body: { image: '', ports: [{ internal: 70_000 }] } })
    expect(make).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID', message: expect.stringMatching(/Image .*Ports\[0\]\.Internal must be/) }),
    )
    expect(() => request('startContainer', { params: { id: '../x' } })).toThrow(/^id must be 4 to 24 characters/)
  })
})
