/** What git sends in a push, made by hand: a few kilobytes that unpack to as much as is wished. */
import { createHash } from 'node:crypto'
import { deflateSync } from 'node:zlib'

/** The most that one instruction of a delta copies. */
const pieceBytes = 0xff_ff_ff

/** A whole request of git-receive-pack(1), for the branch main, with one object of so many times 16 MiB: a delta that copies another one over and over (gitformat-pack(5)). */
export function swollenPush(pieces: number): Buffer {
  const base = Buffer.alloc(pieceBytes)
  const baseId = createHash('sha1').update(`blob ${base.length}\0`).update(base).digest()
  const copy = Buffer.from([0xf0, 0xff, 0xff, 0xff])
  const delta = Buffer.concat([sizeOf(base.length), sizeOf(pieces * pieceBytes), ...Array.from({ length: pieces }, () => copy)])
  const pack = Buffer.concat([
    Buffer.from('PACK\0\0\0\x02\0\0\0\x02', 'latin1'),
    headOf(3, base.length),
    deflateSync(base),
    headOf(7, delta.length),
    baseId,
    deflateSync(delta),
  ])
  const command = `${'0'.repeat(40)} ${'1'.repeat(40)} refs/heads/main\0report-status`
  const line = `${(command.length + 4).toString(16).padStart(4, '0')}${command}0000`
  return Buffer.concat([Buffer.from(line), pack, createHash('sha1').update(pack).digest()])
}

function sizeOf(bytes: number): Buffer {
  const parts: number[] = []
  for (let rest = bytes; parts.length === 0 || rest > 0; rest = Math.floor(rest / 128)) parts.push((rest % 128) | (rest >= 128 ? 128 : 0))
  return Buffer.from(parts)
}

function headOf(type: number, bytes: number): Buffer {
  const rest = Math.floor(bytes / 16)
  const first = (type << 4) | (bytes % 16)
  return rest === 0 ? Buffer.from([first]) : Buffer.concat([Buffer.from([first | 128]), sizeOf(rest)])
}
