{{/* Metadata of a component's pods. Arguments: context, name, annotations in YAML if they have
     some. */}}
{{- define "sgx.podMetadata" -}}
labels:
  {{- include "sgx.labels" (index . 0) | nindent 2 }}
  {{- include "sgx.selected" (index . 1) | nindent 2 }}
{{- include "sgx.annotations" (list (index . 0) (index (append . "") 2)) }}
{{- end }}

{{/* An annotation with a hash of the configuration, so that a change replaces the pods. Argument:
     text. */}}
{{- define "sgx.configuration" -}}
sgx-quote-helper/configuration: {{ . | sha256sum }}
{{- end }}

{{/* The nodes of the add-on, and the Secrets for pulling the image. */}}
{{- define "sgx.placement" -}}
nodeSelector:
  {{- $platform := dict "kubernetes.io/os" "linux" "kubernetes.io/arch" "amd64" }}
  {{- mergeOverwrite $platform .Values.nodeSelector | toYaml | nindent 2 }}
tolerations:
  {{- range include "sgx.epcResources" . | fromYamlArray }}
  - key: {{ . }}
    operator: Exists
    effect: NoSchedule
  {{- end }}
  {{- with .Values.tolerations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{/* The EPC resources of all profiles. Taints of nodes with SGX are named after them. */}}
{{- define "sgx.epcResources" -}}
- kubernetes.azure.com/sgx_epc_mem_in_MiB
- sgx.intel.com/epc
- alibabacloud.com/sgx_epc_MiB
{{- end }}

{{/* The strategy of updates of a DaemonSet. Arguments: context, the limit of nodes without a pod on
     versions on which DaemonSets cannot surge. */}}
{{- define "sgx.daemonSetUpdate" -}}
type: RollingUpdate
rollingUpdate:
  {{- if semverCompare ">=1.22-0" (index . 0).Capabilities.KubeVersion.Version }}
  maxSurge: 1
  maxUnavailable: 0
  {{- else }}
  maxUnavailable: {{ index . 1 }}
  {{- end }}
{{- end }}

{{/* The strategy of updates of a Deployment whose pods can run beside each other. */}}
{{- define "sgx.deploymentUpdate" -}}
type: RollingUpdate
rollingUpdate:
  maxSurge: 1
  maxUnavailable: 0
{{- end }}

{{/* The image of a container, and its minimal privileges. Arguments: context, user. */}}
{{- define "sgx.container" -}}
{{ include "sgx.imageOf" (index . 0) }}
securityContext:
  capabilities:
    drop: [ALL]
  {{- include "sgx.privileges" (index . 1) | nindent 2 }}
{{- end }}

{{- define "sgx.imageOf" -}}
image: {{ include "sgx.image" . | quote }}
imagePullPolicy: IfNotPresent
{{- end }}

{{/* Argument: user. */}}
{{- define "sgx.privileges" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
runAsNonRoot: {{ ne (int64 .) 0 }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* An init container that gives existing directories and their contents to a user. Arguments:
     context, user, directories. */}}
{{- define "sgx.directoryOwner" -}}
name: directories
{{ include "sgx.imageOf" (index . 0) }}
args:
  - chown
  - --user={{ index . 1 }}
  - --if-present
  {{- range index . 2 }}
  - {{ . }}
  {{- end }}
env:
  {{- include "sgx.logLevel" (index . 0) | nindent 2 }}
securityContext:
  capabilities:
    add: [CHOWN]
    drop: [ALL]
  {{- include "sgx.privileges" 0 | nindent 2 }}
resources:
  requests:
    cpu: 5m
    memory: 16Mi
  limits:
    memory: 32Mi
{{- end }}

{{/* The variable with the level of the log. */}}
{{- define "sgx.logLevel" -}}
- name: QUOTE_HELPER_LOG
  value: {{ .Values.logLevel }}
{{- end }}

{{/* The affinity of a component. Arguments: context, component, default in YAML. */}}
{{- define "sgx.affinity" -}}
{{- $default := index . 2 | fromYaml }}
{{- with get (index . 0).Values.affinity (index . 1) | default $default }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Requests and limits of a component: the chosen amounts, else these. Arguments: context,
     component, requests, limits, further limits in YAML if there are some. */}}
{{- define "sgx.resources" -}}
{{- $values := (index . 0).Values }}
{{- $requests := get $values.requests (index . 1) | default dict }}
{{- $limits := get $values.limits (index . 1) | default dict }}
{{- $further := index (append . "") 4 | fromYaml }}
requests:
  {{- merge (dict) $requests (index . 2) | toYaml | nindent 2 }}
limits:
  {{- merge (dict) $limits (index . 3) $further | toYaml | nindent 2 }}
{{- end }}

{{/* The port with metrics and health. */}}
{{- define "sgx.metricsPort" -}}
name: metrics
containerPort: 17490
protocol: TCP
{{- end }}

{{/* A probe at that port. Argument: path. */}}
{{- define "sgx.httpProbe" -}}
httpGet:
  path: {{ . }}
  port: metrics
{{- end }}
