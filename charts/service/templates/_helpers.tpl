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
shiplane.dev/owner: {{ .Values.owner | quote }}
app.kubernetes.io/name: {{ .Chart.Name | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Values.image.tag | toString | trunc 63 | trimAll "-._" | quote }}
app.kubernetes.io/component: service
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimAll "-._" }}
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
A rule file or a dashboard with its words in angle brackets filled in. The argument is {root: ., text: the file,
quote: the quotation mark that PromQL is to use there}.
*/}}
{{- define "service.filled" -}}
{{- $values := .root.Values }}
{{- $name := include "service.name" .root }}
{{- $namespace := .root.Release.Namespace }}
{{- $probes := $values.probes }}
{{- $uncounted := list $probes.startup.path $probes.liveness.path $probes.readiness.path "/metrics" | uniq | join "|" }}
{{- $self := printf "namespace='%s', service='%s'" $namespace $name }}
{{- $pods := printf "namespace='%s', pod=~'%s-[a-z0-9]+-[a-z0-9]{5}', container='service'" $namespace $name }}
{{- .text
  | replace "<SELF>" ($self | replace "'" .quote)
  | replace "<PODS>" ($pods | replace "'" .quote)
  | replace "<UNCOUNTED>" $uncounted
  | replace "<NAMESPACE>" $namespace
  | replace "<SERVICE>" $name
  | replace "<OWNER>" $values.owner
  | replace "<TIER>" $values.tier
  | replace "<SLO>" (toString $values.slo)
  | replace "<MINIMUM>" (toString $values.alerts.minimumRate)
  | replace "<RUNBOOK>" $values.runbook
  | replace "<UID>" (printf "%s/%s" $namespace $name | sha256sum | trunc 16)
}}
{{- end }}

{{- /* The image, by tag for people and by digest for the kubelet. The schema says the same; this holds without it. */}}
{{- define "service.image" -}}
{{- $repository := required "image.repository: where does the image come from?" .Values.image.repository }}
{{- $tag := required "image.tag: missing; every release brings its own" .Values.image.tag | toString }}
{{- $digest := required "image.digest: missing; every release brings its own" .Values.image.digest | toString }}
{{- if eq $tag "latest" }}
{{- fail "image.tag: `latest` is no release; give the full commit SHA" }}
{{- end }}
{{- if not (regexMatch "^sha256:[0-9a-f]{64}$" $digest) }}
{{- fail (printf "image.digest: %q is none; it is sha256: and 64 hex digits" $digest) }}
{{- end }}
{{- printf "%s:%s@%s" $repository $tag $digest }}
{{- end }}

{{- /* The variables that come from the Secret: their values, or the files that hold them. */}}
{{- define "service.secrets" -}}
{{- range .Values.secrets }}
{{- if eq $.Values.secretDelivery "files" }}
- name: {{ printf "%s_FILE" . | quote }}
  value: {{ printf "/run/secrets/service/%s" . | quote }}
{{- else }}
- name: {{ . | quote }}
  valueFrom:
    secretKeyRef:
      name: {{ include "service.name" $ | quote }}
      key: {{ . | quote }}
{{- end }}
{{- end }}
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

{{- /* One HTTP probe. The argument is an entry of .Values.probes. */}}
{{- define "service.probe" -}}
httpGet:
  path: {{ .path }}
  port: http
periodSeconds: {{ int .periodSeconds }}
timeoutSeconds: {{ int .timeoutSeconds }}
failureThreshold: {{ int .failureThreshold }}
{{- end }}

{{- /* The pods of another service, for a NetworkPolicy. The argument is {peer: its name, network: .Values.network}. */}}
{{- define "service.peer" -}}
namespaceSelector:
  matchLabels:
    kubernetes.io/metadata.name: {{ .network.peerNamespace | replace "{service}" .peer | quote }}
podSelector:
  matchLabels:
    shiplane.dev/service: {{ .peer | quote }}
{{- end }}

{{- /*
"true" where the kubelet itself can wait before SIGTERM (Kubernetes 1.30 and newer), else nothing. Waiting by a command
would need a shell in the image.
*/}}
{{- define "service.kubeletWaits" -}}
{{- if semverCompare ">=1.30.0-0" .Capabilities.KubeVersion.Version }}true{{ end }}
{{- end }}
