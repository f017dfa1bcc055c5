/** The engines of a host, and which of them is meant when nobody says. */
import { type EngineKind, GearError } from '../../api/index.ts'
import { isHanging } from './errors.ts'
import type { Engine, Engines } from './port.ts'

/** What an administrator may say of the choice; `auto` looks at every use, as engines come and go. */
export type EngineChoice = EngineKind | 'auto'

export function enginesOf(engines: Readonly<Record<EngineKind, Engine>>, choice: EngineChoice): Engines {
  return {
    of: kind => engines[kind],
    choose: async () => engines[choice === 'auto' ? await detect(engines) : choice],
  }
}

/** Docker's answer takes a millisecond. With neither there, docker: its failure tells what is missing. One that hangs is there: what belongs to it stays its own. */
async function detect({ docker, podman }: Readonly<Record<EngineKind, Engine>>): Promise<EngineKind> {
  if (await answers(docker)) return 'docker'
  return (await answers(podman)) ? 'podman' : 'docker'
}

async function answers(engine: Engine): Promise<boolean> {
  try {
    await engine.ping()
    return true
  } catch (error) {
    if (!(error instanceof GearError)) throw error
    return isHanging(error)
  }
}
