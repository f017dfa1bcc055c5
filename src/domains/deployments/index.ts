/**
 * Deployments: a file says which containers there should be and how they reach each other; a deploy places instances of them on hosts, wires
 * them, and writes down what it made, so that the next deploy of that file changes only what has changed. All of this happens in the client:
 * hosts know nothing of deployments, and need nothing of them while containers run.
 */
export type { Outcome } from './apply.ts'
export { type DeployReport, deploy, hostRows, previewDeploy } from './deploy.ts'
export { type Described, deploymentName, printDeployment, readDeployment, stampedName } from './file.ts'
export { type DeploymentPlan, planDeployment } from './plan.ts'
export { type DeployStep, instanceState, progressWords, type StepProgress, stepRow } from './steps.ts'
export { drawTopology, hostsOf, topologyOf } from './topology.ts'
