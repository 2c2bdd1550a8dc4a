/** Pulumi's types of resources that the CLI looks for in a state or a preview. */

export const CONTAINER_TYPE = "docker:index/container:Container";
/** A Swarm service. */
export const SERVICE_TYPE = "docker:index/service:Service";
export const NETWORK_TYPE = "docker:index/network:Network";
export const VOLUME_TYPE = "docker:index/volume:Volume";
/** An image that a host pulls. */
export const IMAGE_TYPE = "docker:index/remoteImage:RemoteImage";
export const VM_TYPE = "azure-native:compute:VirtualMachine";
export const DISK_TYPE = "azure-native:compute:Disk";
export const RECORD_TYPE = "azure-native:dns:RecordSet";
