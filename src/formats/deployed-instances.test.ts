import { describe, expect, it } from 'vitest'
import { deployedNames } from './deployed-instances.ts'

describe('the instances of a deployment', () => {
  it('are named by host and id, in their order; those on no host are left out', () => {
    const text = JSON.stringify({
      Containers: [{ Name: 'web', Image: 'acme/shop', Count: 3 }],
      Instances: [
        { Id: 'web-1', From: 'web', Image: 'acme/shop', On: 'node7:43273' },
        { Id: 'web-2', From: 'web', Image: 'acme/shop', On: 'local' },
        { Id: 'web-3', From: 'web', Image: 'acme/shop' },
        { Id: 'web-4', From: 'web', Image: 'acme/shop', On: null },
      ],
    })
    expect(deployedNames(text)).toEqual(['ctr://node7:43273/web-1', 'ctr://web-2'])
  })

  it('have keys in any case', () => {
    expect(deployedNames('{"instances": [{"id": "web-1", "on": "node7"}]}')).toEqual(['ctr://node7/web-1'])
  })

  it.each(['{}', '', '{"Instances": null}', '{"Instances": []}'])('may be none: %s', text => {
    expect(deployedNames(text)).toEqual([])
  })

  it.each([
    ['{"Instances": 1}', 'Instances must be a list'],
    ['{"Instances": [1]}', 'expected a JSON object'],
    ['[]', 'expected a JSON object'],
    ['{"Instances": [{"On": "node7"}]}', 'Instances[0] must have an Id'],
    ['{"Instances": [{"Id": 7, "On": "node7"}]}', 'Instances[0] must have an Id'],
    ['{"Instances": [{"Id": "web-1", "On": ""}]}', 'Instances[0] must have an Id'],
    ['{"Instances": [{"Id": "a/b", "On": "node7"}]}', 'Instances[0] is not named as a container is'],
    ['{"Instances": [{"Id": "web-1", "On": "a b"}]}', 'Instances[0] is not named as a container is'],
    ['{"Instances": [', 'JSON'],
  ])('are refused when they cannot be called: %s', (text, message) => {
    expect(() => deployedNames(text)).toThrow(message)
  })
})
