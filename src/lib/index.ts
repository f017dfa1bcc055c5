/** Small pure tools without domain words: nothing here knows what a container is. */

export { builtinHttp, builtinHttps } from './builtin-http.ts'
export { Channel } from './channel.ts'
export { closest } from './closest.ts'
export { compareText } from './compare-text.ts'
export { Handover } from './handover.ts'
export { KeyedMutex } from './keyed-mutex.ts'
export { mapBounded } from './map-bounded.ts'
export { oneLine } from './one-line.ts'
export { applySteps, DryRun, type NamedStepObserver, type PlannedStep, plannedStep, type Step, type StepObserver } from './steps.ts'
export { urlWithoutSecrets } from './url.ts'
