import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FormatError } from './format-error.ts'
import {
  isSshKeyFingerprint,
  openSshFingerprint,
  parseAuthorizedKey,
  parseAuthorizedKeys,
  printSshKey,
  soleKeyLine,
  sshKeyFingerprint,
  sshKeyLineBytes,
} from './ssh-keys.ts'
import { codeUnit, failsCleanly } from './test-text.ts'

/** One of each kind, made by ssh-keygen for this test; that of Vagrant is the example of spec §11.1. */
const vagrant =
  'ssh-rsa AAAAB3NzaC1yc2EAAAABIwAAAQEA6NF8iallvQVp22WDkTkyrtvp9eWW6A8YVr+kz4TjGYe7gHzIw+niNltGEFHzD8+v1I2YJ6oXevct1YeS0o9HZyN1Q9qgCgzUFtdOKLv6IedplqoPkcmF0aYet2PkEDo3MlTBckFXPITAMzF8dJSIFo9D8HfdOV0IAdx4O7PtixWKn5y2hMNG0zQPyUecp4pzC6kivAIhyfHilFR61RGL+GPXQ2MWZWFYbAGjyiYJnAmCP3NOTd0jMZEnDkbUvxhMmBYSdETk1rRgm+R4LOzFUGaHqHDLKLX+FIPKcF96hrucXzcWyLbIbEgE98OHlnVYCzRdK8jlqm8tehUc9c9WhQ=='
const made = [
  'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQCjfszltCqTdKrHqJIE83FSQqioUCzS/SNAn/xyLz94XhctzMV5HG1iLYRIBFtJ12WiXJ4RPJ7xElz3Pl6G8/cIg9igZ1fNob/dqwyRhn6meXE/gRYjZqAKDkF7/Q91tSLyy+8A0XIr8IHX2feXftNC5P/ofzIrHQ6VAPVFS436qw==',
  'ssh-dss AAAAB3NzaC1kc3MAAACBAPxC5J7SYHJMAia67Ztbq7DIxwtusJ70GQ/hZmudEHaSFe8O34ZaIOuQFnqM3NrjY9xKiy5sJXAC3Kov3ageOkfj9BS13sU7acywW+KqkaGoXsqmghxfCNdjtyV5c24B6tbczwhji6TFDbs95U6sHhhkFUrw+C/fnnhjAis6XCnnAAAAFQCxao4zzsfTLxU04snNPEOnXz3xKQAAAIACEP6QMSqfMtQuQUPzbZQCGZs3bJMTnBn02eFPc0Mz3JSckbS/u7LTm73unW6NEfkr4aIyLJkSWYxhQ1MEOxlZsbOgjJXJ0Ua5BrHe9y9PuyfuRbHAtEblnnsyuLNnie6L+ApzlQKw03Lp1BRo+OPH6K6/T23uEPNq7+1TriG6fgAAAIEA+NxDqL6KkBDhvaFIzbt+JNzJP6iKgqDhKpVOq8eTuwOZXGaLqdI3MitZOQ/Q0+fDbrXEdYsFiGlrMiA4EKWJRHL2huiEWBCAmoC19f4S0ABME5DHsew6wWDwQsvWmeKvdaYUOnhiMF/XEinHUXgStofQ1/2nG1XsWwF+UAymqqU=',
  'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBE0ECi23qgTF9PNH/aGv4tHvekxzah6uEPiDO6XLdS7Zt8LwLh3tsbS97ay96pB1CdOMyvE2A+dwlYpmgDBLEMk=',
  'ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBHJXx/2gcx1RvEClC1/uyB2pCzUWQtjXZrP4hsrCaXyXyskZRT2UC9f+U1ql/7+FqFMXRgx9yh8iwHwLddS+Tn3PNM/zVlmVxLM5l6k+RAbmQvpB/kd/1bU9fzMV9zvJJQ==',
  'ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBAHaTOqt16PFLGM4HqyKrGWPPn+E5y031a4QCANKOHq/8/AWRVmuqAwK1vG1nineacWzWNiy9WP2XG+AMzV7VEdgmADpU0Y90vJV+J5Buf2leGXZZAuheEklrcjeSkyDVhhKrcJg5cCLBB2jYOml9gvbpwUUx+5akHrmWaJWtb9cUkS67g==',
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKFNXV5GDMdqk0cMPZOneQ5jMdImKpryY0c3WvlM6ZU9',
  'ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29tAAAAIEFydwjiJ3albseTB3eh84nrK4XKw5ZDCzcQkJKwtY2WAAAAIKFNXV5GDMdqk0cMPZOneQ5jMdImKpryY0c3WvlM6ZU9AAAAAAAAAAAAAAABAAAAA2lkMgAAABEAAAAEdXNlcgAAAAVvdGhlcgAAAABrBjkoAAAAAGzmG5kAAAAAAAAAggAAABVwZXJtaXQtWDExLWZvcndhcmRpbmcAAAAAAAAAF3Blcm1pdC1hZ2VudC1mb3J3YXJkaW5nAAAAAAAAABZwZXJtaXQtcG9ydC1mb3J3YXJkaW5nAAAAAAAAAApwZXJtaXQtcHR5AAAAAAAAAA5wZXJtaXQtdXNlci1yYwAAAAAAAAAAAAABlwAAAAdzc2gtcnNhAAAAAwEAAQAAAYEAjYgaO7uonzoNyf9xcRCjoDEUQz1RrR6GgE6uLNo5WCbL9O3gHLOpxxrXez3sr8nGV6H01OIvNvh/dyfRPg/FYISv5Yw4hqerBlF2aKvQmQ4Bd521SIBs8hhjKwd2UKG8wgO06RhDD2rpya2C30aDLHI5oaD/jdjB9Z1I7sWGCdfNeYJvwZuCYWlXoMwUlrKJkasBN7kK+4fXID5DJmpuBJ+NKnV6RbaH/71nerKZ+nhXua/PSlpXjltws49cQr870I05VVkhY7MYbAcgDOewQ3pX3yqnhQ1xsfYGKd080nsWpjwFAGbmnBl2VUZrRbfserGAF3TFi+KXLqNFrzaD5tB/K0JEgZqXfPs2qvM43gjzM7LsekSz2QSnL3DirifyCy0let5Gs7bzY3up4m67qvmpukRVnyeXx4J6qMjTPQHrHHeou7NOhoR2ISxZY8dzgfQv+CLVSp5sNQfXraYcY7QzxDaLfa0uhKe65LOsvVDiWi0smvvs1dF4UI++QQYbAAABlAAAAAxyc2Etc2hhMi01MTIAAAGAemj5AUZ6j1iNAHoTkJADIZTBPG9pdZill4UleAC6cw7ExnC9YK7OJ+LB8mCHw4tn9ZkZvHi74Hh7BxVQuwZhbC1W1qUXXzVjQ+RLP4s3dXy8KicOMY2dhiWIA96MdsAWDj0vkFFTzJpLpp1MNpyFfiTIEZfuCfoH9v9GSPlkCVf0VxnwdcOR3gfqmg0gpncfC3fXPxybOtwnmoM+ds3ziGoX+u2zcBDhFqF0LpJjeq0zAP+ApljYpstuozEiExgwGBUt33Y/rnhQ0ooY2q1inxx+3ipzqDm5z0IUT9PNh+ZTDElZqEj76oFTykhc5UAD9RnKe8Qy89e3Z52CwhqPMg1Y4ufFZMsSbvzqPcUbXJ5okzWfbxnZh4vhRcUob946RG5s0OOfHHHtFecJSgb4MZ+M8FM+R08lFYxd77iRKEJpZ2RCg5pxHDUOTI8e3hJBHnyWytfQ/TJl3BbsLbPH1pJWaRwA7leMo1vq7+DJux+1aqSxQwgbWcE2bMUX+2GF',
] as const
const [rsa, , ecdsa, , , ed25519] = made
/** A key on a security key: that of a plain one, and the application it is for. */
const security = [
  hardware('sk-ssh-ed25519@openssh.com', [field(ed25519, 1), Buffer.from('ssh:')]),
  hardware('sk-ecdsa-sha2-nistp256@openssh.com', [field(ecdsa, 1), field(ecdsa, 2), Buffer.from('ssh:')]),
]
const all = [vagrant, ...made, ...security]

function wire(...fields: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    fields.flatMap(bytes => {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(bytes.length)
      return [length, bytes]
    }),
  )
}

function field(line: string, index: number): Buffer {
  let bytes = Buffer.from(line.split(' ')[1] ?? '', 'base64')
  for (let skipped = 0; skipped < index; skipped++) bytes = bytes.subarray(4 + bytes.readUInt32BE())
  return bytes.subarray(4, 4 + bytes.readUInt32BE())
}

function hardware(algorithm: string, fields: readonly Uint8Array[]): string {
  return `${algorithm} ${wire(Buffer.from(algorithm), ...fields).toString('base64')}`
}

function rsaKey(exponent: readonly number[], modulusBytes: number): string {
  return hardware('ssh-rsa', [Uint8Array.from(exponent), Buffer.concat([Buffer.of(0), Buffer.alloc(modulusBytes, 0xc1)])])
}

function failure(text: string): FormatError {
  try {
    parseAuthorizedKey(text)
  } catch (error) {
    if (error instanceof FormatError) return error
    throw error
  }
  throw new Error('it was taken')
}

describe('a key', () => {
  test.each(all.map(line => [line.split(' ')[0], line]))('%s is read and printed as it is stored', (algorithm, line) => {
    const { key, options, comment } = parseAuthorizedKey(`${line} somebody@some where \n`)
    expect(key.algorithm).toBe(algorithm)
    expect({ options, comment }).toEqual({ options: undefined, comment: 'somebody@some where' })
    expect(printSshKey(key)).toBe(`${line}\n`)
    expect(parseAuthorizedKey(printSshKey(key)).key).toEqual(key)
    expect(isSshKeyFingerprint(sshKeyFingerprint(key))).toBe(true)
  })

  test('has the fingerprint by which the original named it', () => {
    const { key } = parseAuthorizedKey(`${vagrant} vagrant insecure public key`)
    expect(sshKeyFingerprint(key)).toBe('I5F2ohFZ1whUO0NF62juMIuPG5nfKTgonWPaKWpY13M')
    expect(openSshFingerprint(key)).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/)
  })

  test.each([
    ['command="echo \\"hello\\" world",no-pty'],
    ['environment="A=b c"'],
    ['from="10.0.0.0/8,*.example",permitopen="127.0.0.1:80"'],
    ['no-pty'],
  ])('may have options before it, which are set apart: %s', options => {
    expect(parseAuthorizedKey(`  ${options}\t ${ed25519} me`)).toMatchObject({ options, comment: 'me', key: { algorithm: 'ssh-ed25519' } })
  })
})

describe('a text with one key', () => {
  test.each([
    [`${ed25519} me`],
    [`${ed25519} me\n`],
    [`# the key of me\r\n\r\n${ed25519} me\r\n`],
    [`\n \t# \u00fc\n${ed25519} me\n\n# that was it`],
  ])('is taken for its line, without the comments and blank lines around it: %j', text => {
    expect(soleKeyLine(text)).toBe(`${ed25519} me`)
  })

  test.each([[''], ['# nothing but words\n'], [`${ed25519}\n${vagrant}`], [`${ed25519}\nsomething`]])('is not this one: %j', text => {
    expect(soleKeyLine(text)).toBeUndefined()
  })
})

describe('what is no key is refused', () => {
  const bytes = (line: string) => line.split(' ')[1] ?? ''
  test.each([
    ['', 'there is no key'],
    ['# comment', 'there is no key'],
    ['ssh-ed25519', 'there is no key'],
    ['ssh-ed25519 ', 'there is no key'],
    ['ssh-tulip AAAA', 'of a kind that is known'],
    ['command="unclosed ssh-ed25519 AAAA', 'of a kind that is known'],
    [`no-pty no-pty ${ed25519}`, 'of a kind that is known'],
    ['-----BEGIN OPENSSH PRIVATE KEY-----', 'private key'],
    ['constructor AAAA', 'of a kind that is known'],
    [`${ed25519}\n${ed25519}`, 'one line'],
    [`${ed25519} a\u001b[2Jb`, 'one line'],
    [`${ed25519} a\ud800b`, 'one line'],
    [`${ed25519} ${'x'.repeat(sshKeyLineBytes)}`, 'longer than'],
    [`ssh-rsa ${bytes(ed25519)}`, 'another kind inside'],
    [`ssh-ed25519 ${bytes(ed25519).slice(0, -4)}`, 'cut off'],
    [`ssh-ed25519 ${bytes(ed25519)}AAAA`, 'more behind'],
    [`ssh-ed25519 ${bytes(ed25519).replace('AAAA', 'AA!AA')}`, 'whole base64'],
    [`ssh-ed25519 ${bytes(rsa).replace(/=+$/, '')}`, 'base64'],
    [hardware('ssh-ed25519', [Buffer.alloc(31)]), '32 bytes'],
    [hardware('ecdsa-sha2-nistp256', [Buffer.from('nistp384'), field(ecdsa, 2)]), 'another curve'],
    [hardware('ecdsa-sha2-nistp256', [Buffer.from('nistp256'), field(ecdsa, 2).subarray(0, -1)]), 'its point'],
    [hardware('ecdsa-sha2-nistp256', [Buffer.from('nistp256'), Buffer.concat([Buffer.of(2), field(ecdsa, 2).subarray(1)])]), 'its point'],
    [rsaKey([1, 0, 0], 256), 'exponent must be odd'],
    [rsaKey([1], 256), 'exponent must be odd'],
    [rsaKey([1, 0, 0, 1], 256), 'exponent must be odd'],
    [rsaKey([0, 3], 256), 'a number that is none'],
    [rsaKey([0x83], 256), 'a number that is none'],
    [rsaKey([], 256), 'a number that is none'],
    [rsaKey([1, 0, 1], 127), '1024 to 16384 bits'],
    [rsaKey([1, 0, 1], 2049), '1024 to 16384 bits'],
  ])('%j: %s', (line, why) => {
    expect(failure(line).message).toContain(why)
  })

  test('an exponent of 3 and one of 24 bits are taken', () => {
    expect(parseAuthorizedKey(rsaKey([3], 128)).key.algorithm).toBe('ssh-rsa')
    expect(parseAuthorizedKey(rsaKey([0, 0xff, 0xff, 0xff], 256)).key.algorithm).toBe('ssh-rsa')
  })

  test('a private key is not shown in the message', () => {
    expect(failure('b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW').message).not.toContain(
      'AAAAABG5vbmUAAAAEbm9uZQ',
    )
  })
})

describe('a file of keys', () => {
  test('may have blank lines, comments and either line end', () => {
    const keys = parseAuthorizedKeys(`# ours\r\n\n${ed25519} a\r\n  \n\t# no\n${rsa} b\n`)
    expect(keys.map(({ line, comment }) => ({ line, comment }))).toEqual([
      { line: 3, comment: 'a' },
      { line: 6, comment: 'b' },
    ])
  })

  test('names the line that is wrong', () => {
    expect(() => parseAuthorizedKeys(`${ed25519}\n\nnonsense\n`)).toThrow(/^line 3: there is no key/)
  })

  test('has at most a mebibyte, though all of it were comments', () => {
    const comments = `${'#'.repeat(1023)}\n`.repeat(1024)
    expect(parseAuthorizedKeys(comments)).toEqual([])
    expect(() => parseAuthorizedKeys(`${comments}#`)).toThrow('must not be longer than 1048576 bytes')
  })
})

describe('for any text', () => {
  test('the parser takes it or throws its own error', () => {
    const anyText = fc.oneof(
      fc.string({ unit: codeUnit, maxLength: 60 }),
      fc
        .tuple(fc.constantFrom(...all), fc.string({ maxLength: 20 }), fc.nat(400))
        .map(([line, noise, at]) => line.slice(0, at) + noise + line.slice(at)),
      fc
        .tuple(fc.constantFrom(...all.map(line => line.split(' ')[0] ?? '')), fc.uint8Array({ maxLength: 100 }))
        .map(([algorithm, body]) => `${algorithm} ${Buffer.concat([wire(Buffer.from(algorithm)), body]).toString('base64')}`),
    )
    fc.assert(
      fc.property(anyText, text => {
        failsCleanly(() => {
          const { key } = parseAuthorizedKey(text)
          expect(printSshKey(key)).toMatch(/^[a-z0-9@.-]+ [A-Za-z0-9+/]+=*\n$/)
          expect(parseAuthorizedKey(printSshKey(key))).toEqual({ key, options: undefined, comment: '' })
        })
      }),
    )
  })

  test('options in quotes are set apart whole', () => {
    const value = fc.string({ unit: fc.constantFrom(...'ab ,=\\"\t') }).map(text => text.replaceAll('\\', '').replaceAll('"', '\\"'))
    fc.assert(
      fc.property(value, text => {
        expect(parseAuthorizedKey(`command="${text}" ${ed25519}`).options).toBe(`command="${text}"`)
      }),
    )
  })
})
