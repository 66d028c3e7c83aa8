{{- /* The service's name: its release's name, and the name of everything it owns. */}}
{{- define "service.name" -}}
{{ .Release.Name }}
{{- end }}

{{- /*
What selects the service's pods. A label of our own, since Argo CD may rewrite app.kubernetes.io/instance.
It must never change: a Deployment's selector cannot be edited.
*/}}
{{- define "service.selector" -}}
shiplane.dev/service: {{ include "service.name" . | quote }}
{{- end }}

{{- define "service.labels" -}}
{{ include "service.selector" . }}
{{ include "service.about" (dict "root" . "component" "service") }}
{{- end }}

{{- /* Labels that tell what something is and select nothing. The argument is {root: ., component: its part}. */}}
{{- define "service.about" -}}
{{- $component := .component }}
{{- with .root -}}
shiplane.dev/owner: {{ .Values.owner | quote }}
app.kubernetes.io/name: {{ .Chart.Name | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Values.image.tag | toString | trunc 63 | trimAll "-._" | quote }}
app.kubernetes.io/component: {{ $component }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimAll "-._" }}
{{- end }}
{{- end }}

{{- /*
The metadata of what runs beside the service, once. Its pods bear a label of their own, so that nothing that selects
the service's pods takes them for these. The argument is {root: ., part: its name, as migration}.
*/}}
{{- define "service.beside" -}}
name: {{ printf "%s-%s" (include "service.name" .root) .part | quote }}
namespace: {{ .root.Release.Namespace | quote }}
labels:
  {{- include "service.besideLabels" . | nindent 2 }}
{{- end }}

{{- define "service.besideSelector" -}}
shiplane.dev/{{ .part }}: {{ include "service.name" .root | quote }}
{{- end }}

{{- define "service.besideLabels" -}}
{{ include "service.besideSelector" . }}
{{ include "service.about" (dict "root" .root "component" .part) }}
{{- end }}

{{- define "service.metadata" -}}
name: {{ include "service.name" . | quote }}
namespace: {{ .Release.Namespace | quote }}
labels:
  {{- include "service.labels" . | nindent 2 }}
{{- end }}

{{- /* The metadata of what Prometheus has to find. The argument is {root: ., name: its name}. */}}
{{- define "service.discovered" -}}
name: {{ .name | quote }}
namespace: {{ .root.Release.Namespace | quote }}
labels:
  {{- include "service.labels" .root | nindent 2 }}
  {{- with .root.Values.discovery }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- /*
A rule file or a dashboard with its words in angle brackets filled in: those here, and those of service.words. The
argument is {root: ., text: the file, quote: the quotation mark that PromQL is to use there}.
*/}}
{{- define "service.filled" -}}
{{- $values := .root.Values }}
{{- $name := include "service.name" .root }}
{{- $namespace := .root.Release.Namespace }}
{{- $self := printf "namespace='%s', service='%s'" $namespace $name }}
{{- $pods := printf "namespace='%s', pod=~'%s-[a-z0-9]+-[a-z0-9]{5}', container='service'" $namespace $name }}
{{- $text := .text }}
{{- range $word, $value := include "service.words" .root | fromYaml }}
{{- $text = replace (printf "<%s>" $word) $value $text }}
{{- end }}
{{- $text
  | replace "<SELF>" ($self | replace "'" .quote)
  | replace "<PODS>" ($pods | replace "'" .quote)
  | replace "<NAMESPACE>" $namespace
  | replace "<SERVICE>" $name
  | replace "<OWNER>" $values.owner
  | replace "<TIER>" $values.tier
  | replace "<SLO>" (toString $values.slo)
  | replace "<MINIMUM>" (toString $values.alerts.minimumRate)
  | replace "<RUNBOOK>" $values.runbook
  | replace "<DEPENDENCIES>" (include "service.dependencies" .root)
  | replace "<UID>" (printf "%s/%s" $namespace $name | sha256sum | trunc 16)
}}
{{- end }}

{{- /* All that the service calls: other services, and what it depends on outside the cluster. */}}
{{- define "service.dependencies" -}}
{{- concat .Values.calls (keys .Values.dependencies | sortAlpha) | uniq | join "," }}
{{- end }}

{{- /* The image, by tag for people and by digest for the kubelet. The schema says the same; this holds without it. */}}
{{- define "service.image" -}}
{{- $image := .Values.image }}
{{- $repository := required "image.repository: where does the image come from?" $image.repository }}
{{- $tag := required "image.tag: missing; every release brings its own" $image.tag | toString }}
{{- if eq $tag "latest" }}
{{- fail "image.tag: `latest` is no release; give the full commit SHA" }}
{{- end }}
{{- if and $image.tagAlone (not $image.digest) }}
{{- printf "%s:%s" $repository $tag }}
{{- else }}
{{- $digest := required "image.digest: missing; every release brings its own" $image.digest | toString }}
{{- if not (regexMatch "^sha256:[0-9a-f]{64}$" $digest) }}
{{- fail (printf "image.digest: %q is none; it is sha256: and 64 hex digits" $digest) }}
{{- end }}
{{- printf "%s:%s@%s" $repository $tag $digest }}
{{- end }}
{{- end }}

{{- /* The variables of a container, its settings apart. The argument is {root: ., secret: the Secret's name}. */}}
{{- define "service.env" -}}
{{- $values := .root.Values }}
{{- $secret := .secret }}
- name: SERVICE
  value: {{ include "service.name" .root | quote }}
- name: VERSION
  value: {{ $values.image.tag | quote }}
{{- range $values.secrets }}
{{- if eq $values.secretDelivery "files" }}
- name: {{ printf "%s_FILE" . | quote }}
  value: {{ printf "/run/secrets/service/%s" . | quote }}
{{- else }}
- name: {{ . | quote }}
  valueFrom:
    secretKeyRef:
      name: {{ $secret | quote }}
      key: {{ . | quote }}
{{- end }}
{{- end }}
{{- with $values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* What a container sees of the disk. */}}
{{- define "service.mounts" -}}
- name: tmp
  mountPath: /tmp
{{- if and .Values.secrets (eq .Values.secretDelivery "files") }}
- name: secrets
  mountPath: /run/secrets/service
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* The volumes behind it. The argument is {root: ., secret: the Secret's name}. */}}
{{- define "service.volumes" -}}
{{- $values := .root.Values }}
- name: tmp
  emptyDir:
    sizeLimit: {{ $values.tmp.size | quote }}
{{- if and $values.secrets (eq $values.secretDelivery "files") }}
- name: secrets
  secret:
    secretName: {{ .secret | quote }}
    defaultMode: 0440
{{- end }}
{{- with $values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* What an ExternalSecret reads from AWS Secrets Manager. */}}
{{- define "service.secretData" -}}
{{- range .Values.secrets }}
- secretKey: {{ . | quote }}
  remoteRef:
    key: {{ $.Values.secretStore.key | replace "{service}" (include "service.name" $) | quote }}
    property: {{ . | quote }}
{{- end }}
{{- end }}

{{- /* Of a pod what Pod Security calls restricted; a container's own half is below. */}}
{{- define "service.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- /* What Pod Security calls restricted, and a root file system that cannot be written. */}}
{{- define "service.restricted" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop:
    - ALL
{{- end }}

{{- /*
A container from the values, no less restricted than the service unless it says how. The argument is {root: .,
key: where it stands, container: itself}.
*/}}
{{- define "service.container" -}}
{{- $name := required (printf "%s: each needs a name" .key) .container.name }}
{{- if not (regexMatch "@sha256:[0-9a-f]{64}$" (toString .container.image)) }}
{{- fail (printf "%s: the image of %s must end with @sha256: and 64 hex digits" .key $name) }}
{{- end }}
{{- if not (and .container.resources .container.resources.requests .container.resources.limits) }}
{{- fail (printf "%s: %s needs resources, both requests and limits" .key $name) }}
{{- end }}
{{- $restricted := dict "securityContext" (include "service.restricted" .root | fromYaml) }}
{{- if hasKey .container "securityContext" }}
{{- $restricted = dict }}
{{- end }}
{{- toYaml (merge $restricted (deepCopy .container)) }}
{{- end }}

{{- /* What Fluent Bit is to do with a pod's logs. */}}
{{- define "service.logs" -}}
{{- with .Values.logs.parser }}
fluentbit.io/parser: {{ . | quote }}
{{- end }}
{{- if .Values.logs.exclude }}
fluentbit.io/exclude: "true"
{{- end }}
{{- end }}

{{- /* Annotations of a hook of Argo CD's that runs before a release is synced. The argument is its wave. */}}
{{- define "service.presync" -}}
argocd.argoproj.io/hook: PreSync
argocd.argoproj.io/hook-delete-policy: BeforeHookCreation
argocd.argoproj.io/sync-wave: {{ . | quote }}
{{- end }}
