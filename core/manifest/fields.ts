/**
 * Every field of the kinds that manifests are read for, and of what they hold, as Kubernetes 1.34 serves them: a type a line, its fields
 * after it. `[]` is a list and `{}` a mapping of what follows; `port` is a number or a name. Made from the API server's own OpenAPI
 * document, and held against it by test/testbed/dry-run.test.ts.
 */
export const FIELDS = `AWSElasticBlockStoreVolumeSource fsType:text partition:int32 readOnly:bool volumeID:text
Affinity nodeAffinity:NodeAffinity podAffinity:PodAffinity podAntiAffinity:PodAntiAffinity
AppArmorProfile localhostProfile:text type:text
AttachedVolume devicePath:text name:text
AzureDiskVolumeSource cachingMode:text diskName:text diskURI:text fsType:text kind:text readOnly:bool
AzureFileVolumeSource readOnly:bool secretName:text shareName:text
CSIVolumeSource driver:text fsType:text nodePublishSecretRef:LocalObjectReference readOnly:bool volumeAttributes:{}text
Capabilities add:[]text drop:[]text
CephFSVolumeSource monitors:[]text path:text readOnly:bool secretFile:text secretRef:LocalObjectReference user:text
CinderVolumeSource fsType:text readOnly:bool secretRef:LocalObjectReference volumeID:text
ClientIPConfig timeoutSeconds:int32
ClusterTrustBundleProjection labelSelector:LabelSelector name:text optional:bool path:text signerName:text
Condition lastTransitionTime:time message:text observedGeneration:int64 reason:text status:text type:text
ConfigMapEnvSource name:text optional:bool
ConfigMapKeySelector key:text name:text optional:bool
ConfigMapNodeConfigSource kubeletConfigKey:text name:text namespace:text resourceVersion:text uid:text
ConfigMapProjection items:[]KeyToPath name:text optional:bool
ConfigMapVolumeSource defaultMode:int32 items:[]KeyToPath name:text optional:bool
Container args:[]text command:[]text env:[]EnvVar envFrom:[]EnvFromSource image:text imagePullPolicy:text lifecycle:Lifecycle livenessProbe:Probe name:text ports:[]ContainerPort readinessProbe:Probe resizePolicy:[]ContainerResizePolicy resources:ResourceRequirements restartPolicy:text restartPolicyRules:[]ContainerRestartRule securityContext:SecurityContext startupProbe:Probe stdin:bool stdinOnce:bool terminationMessagePath:text terminationMessagePolicy:text tty:bool volumeDevices:[]VolumeDevice volumeMounts:[]VolumeMount workingDir:text
ContainerExtendedResourceRequest containerName:text requestName:text resourceName:text
ContainerImage names:[]text sizeBytes:int64
ContainerPort containerPort:int32 hostIP:text hostPort:int32 name:text protocol:text
ContainerResizePolicy resourceName:text restartPolicy:text
ContainerRestartRule action:text exitCodes:ContainerRestartRuleOnExitCodes
ContainerRestartRuleOnExitCodes operator:text values:[]int32
ContainerState running:ContainerStateRunning terminated:ContainerStateTerminated waiting:ContainerStateWaiting
ContainerStateRunning startedAt:time
ContainerStateTerminated containerID:text exitCode:int32 finishedAt:time message:text reason:text signal:int32 startedAt:time
ContainerStateWaiting message:text reason:text
ContainerStatus allocatedResources:{}quantity allocatedResourcesStatus:[]ResourceStatus containerID:text image:text imageID:text lastState:ContainerState name:text ready:bool resources:ResourceRequirements restartCount:int32 started:bool state:ContainerState stopSignal:text user:ContainerUser volumeMounts:[]VolumeMountStatus
ContainerUser linux:LinuxContainerUser
CronJob apiVersion:text kind:text metadata:ObjectMeta spec:CronJobSpec status:CronJobStatus
CronJobSpec concurrencyPolicy:text failedJobsHistoryLimit:int32 jobTemplate:JobTemplateSpec schedule:text startingDeadlineSeconds:int64 successfulJobsHistoryLimit:int32 suspend:bool timeZone:text
CronJobStatus active:[]ObjectReference lastScheduleTime:time lastSuccessfulTime:time
DaemonEndpoint Port:int32
DaemonSet apiVersion:text kind:text metadata:ObjectMeta spec:DaemonSetSpec status:DaemonSetStatus
DaemonSetCondition lastTransitionTime:time message:text reason:text status:text type:text
DaemonSetSpec minReadySeconds:int32 revisionHistoryLimit:int32 selector:LabelSelector template:PodTemplateSpec updateStrategy:DaemonSetUpdateStrategy
DaemonSetStatus collisionCount:int32 conditions:[]DaemonSetCondition currentNumberScheduled:int32 desiredNumberScheduled:int32 numberAvailable:int32 numberMisscheduled:int32 numberReady:int32 numberUnavailable:int32 observedGeneration:int64 updatedNumberScheduled:int32
DaemonSetUpdateStrategy rollingUpdate:RollingUpdateDaemonSet type:text
Deployment apiVersion:text kind:text metadata:ObjectMeta spec:DeploymentSpec status:DeploymentStatus
DeploymentCondition lastTransitionTime:time lastUpdateTime:time message:text reason:text status:text type:text
DeploymentSpec minReadySeconds:int32 paused:bool progressDeadlineSeconds:int32 replicas:int32 revisionHistoryLimit:int32 selector:LabelSelector strategy:DeploymentStrategy template:PodTemplateSpec
DeploymentStatus availableReplicas:int32 collisionCount:int32 conditions:[]DeploymentCondition observedGeneration:int64 readyReplicas:int32 replicas:int32 terminatingReplicas:int32 unavailableReplicas:int32 updatedReplicas:int32
DeploymentStrategy rollingUpdate:RollingUpdateDeployment type:text
DownwardAPIProjection items:[]DownwardAPIVolumeFile
DownwardAPIVolumeFile fieldRef:ObjectFieldSelector mode:int32 path:text resourceFieldRef:ResourceFieldSelector
DownwardAPIVolumeSource defaultMode:int32 items:[]DownwardAPIVolumeFile
EmptyDirVolumeSource medium:text sizeLimit:quantity
Endpoint addresses:[]text conditions:EndpointConditions deprecatedTopology:{}text hints:EndpointHints hostname:text nodeName:text targetRef:ObjectReference zone:text
EndpointAddress hostname:text ip:text nodeName:text targetRef:ObjectReference
EndpointConditions ready:bool serving:bool terminating:bool
EndpointHints forNodes:[]ForNode forZones:[]ForZone
EndpointPort appProtocol:text name:text port:int32 protocol:text
EndpointSlice addressType:text apiVersion:text endpoints:[]Endpoint kind:text metadata:ObjectMeta ports:[]SlicePort
EndpointSubset addresses:[]EndpointAddress notReadyAddresses:[]EndpointAddress ports:[]EndpointPort
Endpoints apiVersion:text kind:text metadata:ObjectMeta subsets:[]EndpointSubset
EnvFromSource configMapRef:ConfigMapEnvSource prefix:text secretRef:SecretEnvSource
EnvVar name:text value:text valueFrom:EnvVarSource
EnvVarSource configMapKeyRef:ConfigMapKeySelector fieldRef:ObjectFieldSelector fileKeyRef:FileKeySelector resourceFieldRef:ResourceFieldSelector secretKeyRef:SecretKeySelector
EphemeralContainer args:[]text command:[]text env:[]EnvVar envFrom:[]EnvFromSource image:text imagePullPolicy:text lifecycle:Lifecycle livenessProbe:Probe name:text ports:[]ContainerPort readinessProbe:Probe resizePolicy:[]ContainerResizePolicy resources:ResourceRequirements restartPolicy:text restartPolicyRules:[]ContainerRestartRule securityContext:SecurityContext startupProbe:Probe stdin:bool stdinOnce:bool targetContainerName:text terminationMessagePath:text terminationMessagePolicy:text tty:bool volumeDevices:[]VolumeDevice volumeMounts:[]VolumeMount workingDir:text
EphemeralVolumeSource volumeClaimTemplate:PersistentVolumeClaimTemplate
ExecAction command:[]text
FCVolumeSource fsType:text lun:int32 readOnly:bool targetWWNs:[]text wwids:[]text
FileKeySelector key:text optional:bool path:text volumeName:text
FlexVolumeSource driver:text fsType:text options:{}text readOnly:bool secretRef:LocalObjectReference
FlockerVolumeSource datasetName:text datasetUUID:text
ForNode name:text
ForZone name:text
GCEPersistentDiskVolumeSource fsType:text partition:int32 pdName:text readOnly:bool
GRPCAction port:int32 service:text
GitRepoVolumeSource directory:text repository:text revision:text
GlusterfsVolumeSource endpoints:text path:text readOnly:bool
HTTPGetAction host:text httpHeaders:[]HTTPHeader path:text port:port scheme:text
HTTPHeader name:text value:text
HTTPIngressPath backend:IngressBackend path:text pathType:text
HTTPIngressRuleValue paths:[]HTTPIngressPath
HostAlias hostnames:[]text ip:text
HostIP ip:text
HostPathVolumeSource path:text type:text
IPBlock cidr:text except:[]text
ISCSIVolumeSource chapAuthDiscovery:bool chapAuthSession:bool fsType:text initiatorName:text iqn:text iscsiInterface:text lun:int32 portals:[]text readOnly:bool secretRef:LocalObjectReference targetPortal:text
ImageVolumeSource pullPolicy:text reference:text
Ingress apiVersion:text kind:text metadata:ObjectMeta spec:IngressSpec status:IngressStatus
IngressBackend resource:TypedLocalObjectReference service:IngressServiceBackend
IngressLoadBalancerIngress hostname:text ip:text ports:[]IngressPortStatus
IngressLoadBalancerStatus ingress:[]IngressLoadBalancerIngress
IngressPortStatus error:text port:int32 protocol:text
IngressRule host:text http:HTTPIngressRuleValue
IngressServiceBackend name:text port:ServiceBackendPort
IngressSpec defaultBackend:IngressBackend ingressClassName:text rules:[]IngressRule tls:[]IngressTLS
IngressStatus loadBalancer:IngressLoadBalancerStatus
IngressTLS hosts:[]text secretName:text
Job apiVersion:text kind:text metadata:ObjectMeta spec:JobSpec status:JobStatus
JobCondition lastProbeTime:time lastTransitionTime:time message:text reason:text status:text type:text
JobSpec activeDeadlineSeconds:int64 backoffLimit:int32 backoffLimitPerIndex:int32 completionMode:text completions:int32 managedBy:text manualSelector:bool maxFailedIndexes:int32 parallelism:int32 podFailurePolicy:PodFailurePolicy podReplacementPolicy:text selector:LabelSelector successPolicy:SuccessPolicy suspend:bool template:PodTemplateSpec ttlSecondsAfterFinished:int32
JobStatus active:int32 completedIndexes:text completionTime:time conditions:[]JobCondition failed:int32 failedIndexes:text ready:int32 startTime:time succeeded:int32 terminating:int32 uncountedTerminatedPods:UncountedTerminatedPods
JobTemplateSpec metadata:ObjectMeta spec:JobSpec
KeyToPath key:text mode:int32 path:text
LabelSelector matchExpressions:[]LabelSelectorRequirement matchLabels:{}text
LabelSelectorRequirement key:text operator:text values:[]text
Lifecycle postStart:LifecycleHandler preStop:LifecycleHandler stopSignal:text
LifecycleHandler exec:ExecAction httpGet:HTTPGetAction sleep:SleepAction tcpSocket:TCPSocketAction
LinuxContainerUser gid:int64 supplementalGroups:[]int64 uid:int64
LoadBalancerIngress hostname:text ip:text ipMode:text ports:[]PortStatus
LoadBalancerStatus ingress:[]LoadBalancerIngress
LocalObjectReference name:text
ManagedFieldsEntry apiVersion:text fieldsType:text fieldsV1:any manager:text operation:text subresource:text time:time
ModifyVolumeStatus status:text targetVolumeAttributesClassName:text
NFSVolumeSource path:text readOnly:bool server:text
Namespace apiVersion:text kind:text metadata:ObjectMeta spec:NamespaceSpec status:NamespaceStatus
NamespaceCondition lastTransitionTime:time message:text reason:text status:text type:text
NamespaceSpec finalizers:[]text
NamespaceStatus conditions:[]NamespaceCondition phase:text
NetworkPolicy apiVersion:text kind:text metadata:ObjectMeta spec:NetworkPolicySpec
NetworkPolicyEgressRule ports:[]NetworkPolicyPort to:[]NetworkPolicyPeer
NetworkPolicyIngressRule from:[]NetworkPolicyPeer ports:[]NetworkPolicyPort
NetworkPolicyPeer ipBlock:IPBlock namespaceSelector:LabelSelector podSelector:LabelSelector
NetworkPolicyPort endPort:int32 port:port protocol:text
NetworkPolicySpec egress:[]NetworkPolicyEgressRule ingress:[]NetworkPolicyIngressRule podSelector:LabelSelector policyTypes:[]text
Node apiVersion:text kind:text metadata:ObjectMeta spec:NodeSpec status:NodeStatus
NodeAddress address:text type:text
NodeAffinity preferredDuringSchedulingIgnoredDuringExecution:[]PreferredSchedulingTerm requiredDuringSchedulingIgnoredDuringExecution:NodeSelector
NodeCondition lastHeartbeatTime:time lastTransitionTime:time message:text reason:text status:text type:text
NodeConfigSource configMap:ConfigMapNodeConfigSource
NodeConfigStatus active:NodeConfigSource assigned:NodeConfigSource error:text lastKnownGood:NodeConfigSource
NodeDaemonEndpoints kubeletEndpoint:DaemonEndpoint
NodeFeatures supplementalGroupsPolicy:bool
NodeRuntimeHandler features:NodeRuntimeHandlerFeatures name:text
NodeRuntimeHandlerFeatures recursiveReadOnlyMounts:bool userNamespaces:bool
NodeSelector nodeSelectorTerms:[]NodeSelectorTerm
NodeSelectorRequirement key:text operator:text values:[]text
NodeSelectorTerm matchExpressions:[]NodeSelectorRequirement matchFields:[]NodeSelectorRequirement
NodeSpec configSource:NodeConfigSource externalID:text podCIDR:text podCIDRs:[]text providerID:text taints:[]Taint unschedulable:bool
NodeStatus addresses:[]NodeAddress allocatable:{}quantity capacity:{}quantity conditions:[]NodeCondition config:NodeConfigStatus daemonEndpoints:NodeDaemonEndpoints features:NodeFeatures images:[]ContainerImage nodeInfo:NodeSystemInfo phase:text runtimeHandlers:[]NodeRuntimeHandler volumesAttached:[]AttachedVolume volumesInUse:[]text
NodeSwapStatus capacity:int64
NodeSystemInfo architecture:text bootID:text containerRuntimeVersion:text kernelVersion:text kubeProxyVersion:text kubeletVersion:text machineID:text operatingSystem:text osImage:text swap:NodeSwapStatus systemUUID:text
ObjectFieldSelector apiVersion:text fieldPath:text
ObjectMeta annotations:{}text creationTimestamp:time deletionGracePeriodSeconds:int64 deletionTimestamp:time finalizers:[]text generateName:text generation:int64 labels:{}text managedFields:[]ManagedFieldsEntry name:text namespace:text ownerReferences:[]OwnerReference resourceVersion:text selfLink:text uid:text
ObjectReference apiVersion:text fieldPath:text kind:text name:text namespace:text resourceVersion:text uid:text
OwnerReference apiVersion:text blockOwnerDeletion:bool controller:bool kind:text name:text uid:text
PersistentVolumeClaim apiVersion:text kind:text metadata:ObjectMeta spec:PersistentVolumeClaimSpec status:PersistentVolumeClaimStatus
PersistentVolumeClaimCondition lastProbeTime:time lastTransitionTime:time message:text reason:text status:text type:text
PersistentVolumeClaimSpec accessModes:[]text dataSource:TypedLocalObjectReference dataSourceRef:TypedObjectReference resources:VolumeResourceRequirements selector:LabelSelector storageClassName:text volumeAttributesClassName:text volumeMode:text volumeName:text
PersistentVolumeClaimStatus accessModes:[]text allocatedResourceStatuses:{}text allocatedResources:{}quantity capacity:{}quantity conditions:[]PersistentVolumeClaimCondition currentVolumeAttributesClassName:text modifyVolumeStatus:ModifyVolumeStatus phase:text
PersistentVolumeClaimTemplate metadata:ObjectMeta spec:PersistentVolumeClaimSpec
PersistentVolumeClaimVolumeSource claimName:text readOnly:bool
PhotonPersistentDiskVolumeSource fsType:text pdID:text
Pod apiVersion:text kind:text metadata:ObjectMeta spec:PodSpec status:PodStatus
PodAffinity preferredDuringSchedulingIgnoredDuringExecution:[]WeightedPodAffinityTerm requiredDuringSchedulingIgnoredDuringExecution:[]PodAffinityTerm
PodAffinityTerm labelSelector:LabelSelector matchLabelKeys:[]text mismatchLabelKeys:[]text namespaceSelector:LabelSelector namespaces:[]text topologyKey:text
PodAntiAffinity preferredDuringSchedulingIgnoredDuringExecution:[]WeightedPodAffinityTerm requiredDuringSchedulingIgnoredDuringExecution:[]PodAffinityTerm
PodCertificateProjection certificateChainPath:text credentialBundlePath:text keyPath:text keyType:text maxExpirationSeconds:int32 signerName:text
PodCondition lastProbeTime:time lastTransitionTime:time message:text observedGeneration:int64 reason:text status:text type:text
PodDNSConfig nameservers:[]text options:[]PodDNSConfigOption searches:[]text
PodDNSConfigOption name:text value:text
PodExtendedResourceClaimStatus requestMappings:[]ContainerExtendedResourceRequest resourceClaimName:text
PodFailurePolicy rules:[]PodFailurePolicyRule
PodFailurePolicyOnExitCodesRequirement containerName:text operator:text values:[]int32
PodFailurePolicyOnPodConditionsPattern status:text type:text
PodFailurePolicyRule action:text onExitCodes:PodFailurePolicyOnExitCodesRequirement onPodConditions:[]PodFailurePolicyOnPodConditionsPattern
PodIP ip:text
PodOS name:text
PodReadinessGate conditionType:text
PodResourceClaim name:text resourceClaimName:text resourceClaimTemplateName:text
PodResourceClaimStatus name:text resourceClaimName:text
PodSchedulingGate name:text
PodSecurityContext appArmorProfile:AppArmorProfile fsGroup:int64 fsGroupChangePolicy:text runAsGroup:int64 runAsNonRoot:bool runAsUser:int64 seLinuxChangePolicy:text seLinuxOptions:SELinuxOptions seccompProfile:SeccompProfile supplementalGroups:[]int64 supplementalGroupsPolicy:text sysctls:[]Sysctl windowsOptions:WindowsSecurityContextOptions
PodSpec activeDeadlineSeconds:int64 affinity:Affinity automountServiceAccountToken:bool containers:[]Container dnsConfig:PodDNSConfig dnsPolicy:text enableServiceLinks:bool ephemeralContainers:[]EphemeralContainer hostAliases:[]HostAlias hostIPC:bool hostNetwork:bool hostPID:bool hostUsers:bool hostname:text hostnameOverride:text imagePullSecrets:[]LocalObjectReference initContainers:[]Container nodeName:text nodeSelector:{}text os:PodOS overhead:{}quantity preemptionPolicy:text priority:int32 priorityClassName:text readinessGates:[]PodReadinessGate resourceClaims:[]PodResourceClaim resources:ResourceRequirements restartPolicy:text runtimeClassName:text schedulerName:text schedulingGates:[]PodSchedulingGate securityContext:PodSecurityContext serviceAccount:text serviceAccountName:text setHostnameAsFQDN:bool shareProcessNamespace:bool subdomain:text terminationGracePeriodSeconds:int64 tolerations:[]Toleration topologySpreadConstraints:[]TopologySpreadConstraint volumes:[]Volume
PodStatus conditions:[]PodCondition containerStatuses:[]ContainerStatus ephemeralContainerStatuses:[]ContainerStatus extendedResourceClaimStatus:PodExtendedResourceClaimStatus hostIP:text hostIPs:[]HostIP initContainerStatuses:[]ContainerStatus message:text nominatedNodeName:text observedGeneration:int64 phase:text podIP:text podIPs:[]PodIP qosClass:text reason:text resize:text resourceClaimStatuses:[]PodResourceClaimStatus startTime:time
PodTemplateSpec metadata:ObjectMeta spec:PodSpec
PortStatus error:text port:int32 protocol:text
PortworxVolumeSource fsType:text readOnly:bool volumeID:text
PreferredSchedulingTerm preference:NodeSelectorTerm weight:int32
Probe exec:ExecAction failureThreshold:int32 grpc:GRPCAction httpGet:HTTPGetAction initialDelaySeconds:int32 periodSeconds:int32 successThreshold:int32 tcpSocket:TCPSocketAction terminationGracePeriodSeconds:int64 timeoutSeconds:int32
ProjectedVolumeSource defaultMode:int32 sources:[]VolumeProjection
QuobyteVolumeSource group:text readOnly:bool registry:text tenant:text user:text volume:text
RBDVolumeSource fsType:text image:text keyring:text monitors:[]text pool:text readOnly:bool secretRef:LocalObjectReference user:text
ReplicaSet apiVersion:text kind:text metadata:ObjectMeta spec:ReplicaSetSpec status:ReplicaSetStatus
ReplicaSetCondition lastTransitionTime:time message:text reason:text status:text type:text
ReplicaSetSpec minReadySeconds:int32 replicas:int32 selector:LabelSelector template:PodTemplateSpec
ReplicaSetStatus availableReplicas:int32 conditions:[]ReplicaSetCondition fullyLabeledReplicas:int32 observedGeneration:int64 readyReplicas:int32 replicas:int32 terminatingReplicas:int32
ReplicationController apiVersion:text kind:text metadata:ObjectMeta spec:ReplicationControllerSpec status:ReplicationControllerStatus
ReplicationControllerCondition lastTransitionTime:time message:text reason:text status:text type:text
ReplicationControllerSpec minReadySeconds:int32 replicas:int32 selector:{}text template:PodTemplateSpec
ReplicationControllerStatus availableReplicas:int32 conditions:[]ReplicationControllerCondition fullyLabeledReplicas:int32 observedGeneration:int64 readyReplicas:int32 replicas:int32
ResourceClaim name:text request:text
ResourceFieldSelector containerName:text divisor:quantity resource:text
ResourceHealth health:text resourceID:text
ResourceRequirements claims:[]ResourceClaim limits:{}quantity requests:{}quantity
ResourceStatus name:text resources:[]ResourceHealth
RollingUpdateDaemonSet maxSurge:port maxUnavailable:port
RollingUpdateDeployment maxSurge:port maxUnavailable:port
RollingUpdateStatefulSetStrategy maxUnavailable:port partition:int32
SELinuxOptions level:text role:text type:text user:text
ScaleIOVolumeSource fsType:text gateway:text protectionDomain:text readOnly:bool secretRef:LocalObjectReference sslEnabled:bool storageMode:text storagePool:text system:text volumeName:text
SeccompProfile localhostProfile:text type:text
SecretEnvSource name:text optional:bool
SecretKeySelector key:text name:text optional:bool
SecretProjection items:[]KeyToPath name:text optional:bool
SecretVolumeSource defaultMode:int32 items:[]KeyToPath optional:bool secretName:text
SecurityContext allowPrivilegeEscalation:bool appArmorProfile:AppArmorProfile capabilities:Capabilities privileged:bool procMount:text readOnlyRootFilesystem:bool runAsGroup:int64 runAsNonRoot:bool runAsUser:int64 seLinuxOptions:SELinuxOptions seccompProfile:SeccompProfile windowsOptions:WindowsSecurityContextOptions
Service apiVersion:text kind:text metadata:ObjectMeta spec:ServiceSpec status:ServiceStatus
ServiceAccountTokenProjection audience:text expirationSeconds:int64 path:text
ServiceBackendPort name:text number:int32
ServicePort appProtocol:text name:text nodePort:int32 port:int32 protocol:text targetPort:port
ServiceSpec allocateLoadBalancerNodePorts:bool clusterIP:text clusterIPs:[]text externalIPs:[]text externalName:text externalTrafficPolicy:text healthCheckNodePort:int32 internalTrafficPolicy:text ipFamilies:[]text ipFamilyPolicy:text loadBalancerClass:text loadBalancerIP:text loadBalancerSourceRanges:[]text ports:[]ServicePort publishNotReadyAddresses:bool selector:{}text sessionAffinity:text sessionAffinityConfig:SessionAffinityConfig trafficDistribution:text type:text
ServiceStatus conditions:[]Condition loadBalancer:LoadBalancerStatus
SessionAffinityConfig clientIP:ClientIPConfig
SleepAction seconds:int64
SlicePort appProtocol:text name:text port:int32 protocol:text
StatefulSet apiVersion:text kind:text metadata:ObjectMeta spec:StatefulSetSpec status:StatefulSetStatus
StatefulSetCondition lastTransitionTime:time message:text reason:text status:text type:text
StatefulSetOrdinals start:int32
StatefulSetPersistentVolumeClaimRetentionPolicy whenDeleted:text whenScaled:text
StatefulSetSpec minReadySeconds:int32 ordinals:StatefulSetOrdinals persistentVolumeClaimRetentionPolicy:StatefulSetPersistentVolumeClaimRetentionPolicy podManagementPolicy:text replicas:int32 revisionHistoryLimit:int32 selector:LabelSelector serviceName:text template:PodTemplateSpec updateStrategy:StatefulSetUpdateStrategy volumeClaimTemplates:[]PersistentVolumeClaim
StatefulSetStatus availableReplicas:int32 collisionCount:int32 conditions:[]StatefulSetCondition currentReplicas:int32 currentRevision:text observedGeneration:int64 readyReplicas:int32 replicas:int32 updateRevision:text updatedReplicas:int32
StatefulSetUpdateStrategy rollingUpdate:RollingUpdateStatefulSetStrategy type:text
StorageOSVolumeSource fsType:text readOnly:bool secretRef:LocalObjectReference volumeName:text volumeNamespace:text
SuccessPolicy rules:[]SuccessPolicyRule
SuccessPolicyRule succeededCount:int32 succeededIndexes:text
Sysctl name:text value:text
TCPSocketAction host:text port:port
Taint effect:text key:text timeAdded:time value:text
Toleration effect:text key:text operator:text tolerationSeconds:int64 value:text
TopologySpreadConstraint labelSelector:LabelSelector matchLabelKeys:[]text maxSkew:int32 minDomains:int32 nodeAffinityPolicy:text nodeTaintsPolicy:text topologyKey:text whenUnsatisfiable:text
TypedLocalObjectReference apiGroup:text kind:text name:text
TypedObjectReference apiGroup:text kind:text name:text namespace:text
UncountedTerminatedPods failed:[]text succeeded:[]text
Volume awsElasticBlockStore:AWSElasticBlockStoreVolumeSource azureDisk:AzureDiskVolumeSource azureFile:AzureFileVolumeSource cephfs:CephFSVolumeSource cinder:CinderVolumeSource configMap:ConfigMapVolumeSource csi:CSIVolumeSource downwardAPI:DownwardAPIVolumeSource emptyDir:EmptyDirVolumeSource ephemeral:EphemeralVolumeSource fc:FCVolumeSource flexVolume:FlexVolumeSource flocker:FlockerVolumeSource gcePersistentDisk:GCEPersistentDiskVolumeSource gitRepo:GitRepoVolumeSource glusterfs:GlusterfsVolumeSource hostPath:HostPathVolumeSource image:ImageVolumeSource iscsi:ISCSIVolumeSource name:text nfs:NFSVolumeSource persistentVolumeClaim:PersistentVolumeClaimVolumeSource photonPersistentDisk:PhotonPersistentDiskVolumeSource portworxVolume:PortworxVolumeSource projected:ProjectedVolumeSource quobyte:QuobyteVolumeSource rbd:RBDVolumeSource scaleIO:ScaleIOVolumeSource secret:SecretVolumeSource storageos:StorageOSVolumeSource vsphereVolume:VsphereVirtualDiskVolumeSource
VolumeDevice devicePath:text name:text
VolumeMount mountPath:text mountPropagation:text name:text readOnly:bool recursiveReadOnly:text subPath:text subPathExpr:text
VolumeMountStatus mountPath:text name:text readOnly:bool recursiveReadOnly:text
VolumeProjection clusterTrustBundle:ClusterTrustBundleProjection configMap:ConfigMapProjection downwardAPI:DownwardAPIProjection podCertificate:PodCertificateProjection secret:SecretProjection serviceAccountToken:ServiceAccountTokenProjection
VolumeResourceRequirements limits:{}quantity requests:{}quantity
VsphereVirtualDiskVolumeSource fsType:text storagePolicyID:text storagePolicyName:text volumePath:text
WeightedPodAffinityTerm podAffinityTerm:PodAffinityTerm weight:int32
WindowsSecurityContextOptions gmsaCredentialSpec:text gmsaCredentialSpecName:text hostProcess:bool runAsUserName:text`;
