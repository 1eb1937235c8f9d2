{{/* The labels of all objects. */}}
{{- define "sgx.labels" -}}
app.kubernetes.io/part-of: sgx-quote-helper
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The chosen annotations, and those of the object. Arguments: context, annotations in YAML. */}}
{{- define "sgx.annotations" -}}
{{- with merge (index . 1 | fromYaml) (index . 0).Values.annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Metadata of a cluster-wide object. Arguments: context, name, annotations in YAML if it has
     some. */}}
{{- define "sgx.clusterMetadata" -}}
name: {{ index . 1 }}
labels:
  {{- include "sgx.labels" (index . 0) | nindent 2 }}
{{- include "sgx.annotations" (list (index . 0) (index (append . "") 2)) }}
{{- end }}

{{/* Metadata of an object in the namespace, with the same arguments. */}}
{{- define "sgx.metadata" -}}
{{ include "sgx.clusterMetadata" . }}
namespace: {{ (index . 0).Release.Namespace }}
{{- end }}

{{/* The label of a component's pods. Argument: name. */}}
{{- define "sgx.selected" -}}
app.kubernetes.io/name: {{ . }}
{{- end }}

{{/* Selects a component's pods. Argument: name. */}}
{{- define "sgx.selector" -}}
matchLabels:
  {{- include "sgx.selected" . | nindent 2 }}
{{- end }}

{{/* The image of all containers. */}}
{{- define "sgx.image" -}}
{{- $software := eq .Values.platform "software" -}}
{{- $default := ternary "sgx-quote-helper" "sgx-quote-helper-sgx" $software -}}
{{- .Values.image | default (printf "%s:%s" $default .Chart.AppVersion) -}}
{{- end }}

{{/* True if the method of injection is the admission policy. */}}
{{- define "sgx.injectsByPolicy" -}}
{{- $best := ternary "policy" "webhook" (semverCompare ">=1.36-0" .Capabilities.KubeVersion.Version) -}}
{{- if eq (.Values.injection | default $best) "policy" }}true{{ end -}}
{{- end }}

{{/* The names of the resource profiles, in their order. */}}
{{- define "sgx.profiles" -}}
{{- range splitList "," .Values.resourceProfile }}
- {{ splitList "=" . | first }}
{{- end }}
{{- end }}

{{/* True if some EPC is counted in the nodes' status. */}}
{{- define "sgx.countsInNodeStatus" -}}
{{- $profiles := include "sgx.profiles" . | fromYamlArray -}}
{{- if or (eq .Values.epcAccounting "node-status") (has "intel" $profiles) }}true{{ end -}}
{{- end }}

{{/* The address of the cluster's PCCS. */}}
{{- define "sgx.clusterPccsUrl" -}}
http://sgx-pccs.{{ .Release.Namespace }}.svc:8081
{{- end }}

{{/* The address of the software platform's collateral. */}}
{{- define "sgx.softwareCollateralUrl" -}}
http://sgx-collateral.{{ .Release.Namespace }}.svc:17492
{{- end }}

{{/* The PCCS that the values name, else the cluster's own if there is one. */}}
{{- define "sgx.pccsUrl" -}}
{{- if .Values.pccsUrl }}{{ .Values.pccsUrl }}
{{- else if .Values.enablePccs }}{{ include "sgx.clusterPccsUrl" . }}
{{- end }}
{{- end }}
