import { describe, expect, it } from 'vitest'
import { pullProgress } from './pull.ts'

function shown(lines: readonly string[]): readonly (string | undefined)[] {
  const progress = pullProgress()
  return lines.map(line => progress.take(`Nov 25 02:06:49 web1 ctr[12]: ${line}`))
}

describe('the progress of a pull', () => {
  it('counts the layers of Docker', () => {
    expect(
      shown([
        'pulling acme/shop:2',
        'Using default tag: latest',
        '0123456789ab: Pulling fs layer',
        'ba9876543210: Already exists',
        '0123456789ab: Verifying Checksum',
        '0123456789ab: Pull complete',
        '0123456789ab: Download complete',
        'listening on 8080',
      ]),
    ).toEqual([
      'pulling acme/shop:2',
      undefined,
      'pulling acme/shop:2: 0 of 1 layers',
      'pulling acme/shop:2: 1 of 2 layers',
      'pulling acme/shop:2: 1 of 2 layers',
      'pulling acme/shop:2: 2 of 2 layers',
      'pulling acme/shop:2: 2 of 2 layers',
      undefined,
    ])
  })

  it('counts the blobs of Podman', () => {
    const id = 'a'.repeat(64)
    expect(
      shown([
        'pulling acme/shop',
        `Copying blob sha256:${id}`,
        'Copying blob bbbbbbbbbbbb',
        `Copying blob ${id} done`,
        'Copying config c done',
      ]),
    ).toEqual([
      'pulling acme/shop',
      'pulling acme/shop: 0 of 1 layers',
      'pulling acme/shop: 0 of 2 layers',
      'pulling acme/shop: 1 of 2 layers',
      undefined,
    ])
  })

  it('is none of lines that only look like it, before any pull', () => {
    expect(shown(['0123456789ab: Pull complete'])).toEqual([undefined])
  })
})
