import { describe, expect, it } from 'vitest'
import { progressOn } from './progress.ts'

function terminal() {
  let text = ''
  const write = async (piece: string) => {
    text += piece
  }
  const progress = progressOn({ isTerminal: true, columns: 60, rows: 24, write, draw: write })
  return {
    progress,
    /** What was written since the last look. */
    take: () => {
      const taken = text
      text = ''
      return taken
    },
  }
}

describe('progress on a terminal', () => {
  it('has a line for each container, which goes when it has ended', async () => {
    const { progress, take } = terminal()
    await progress.update('a/web-1', 'activating')
    await progress.update('b/web-2', 'activating')
    expect(take()).toBe('| a/web-1: activating\r\u001b[J/ a/web-1: activating\r\n/ b/web-2: activating')
    await progress.end('a/web-1')
    expect(take()).toBe('\r\u001b[1A\u001b[J- b/web-2: activating')
    await progress.end('b/web-2')
    expect(take()).toBe('\r\u001b[J')
  })

  it('makes room for what is printed, and comes back after it', async () => {
    const { progress, take } = terminal()
    await progress.update('web-1', 'activating')
    take()
    await progress.hide()
    await progress.hide()
    expect(take()).toBe('\r\u001b[J')
    await progress.update('web-1', 'active')
    expect(take()).toBe('/ web-1: active')
  })

  it('counts the layers of a pull instead of repeating its lines', async () => {
    const { progress, take } = terminal()
    const log = (line: string) => progress.update('web-1', `Nov 25 02:06:49 web1 ctr[12]: ${line}`)
    await log('pulling acme/shop')
    await log('0123456789ab: Pull complete')
    expect(take()).toContain('web-1: pulling acme/shop: 1 of 1 layer')
  })

  it('leaves out when and by whom a line was written, for which there is no room', async () => {
    const { progress, take } = terminal()
    await progress.update('web-1', 'Nov 25 02:06:49 web1 systemd[1]: Starting ctr-web-1.service')
    expect(take()).toBe('| web-1: Starting ctr-web-1.service')
  })

  it('shows no more lines than leave the rest in sight', async () => {
    const { progress, take } = terminal()
    for (let index = 1; index <= 14; index++) await progress.update(`web-${index}`, 'activating')
    expect(take()).toMatch(/web-12: activating\r\n {2}and 2 more$/)
  })
})
