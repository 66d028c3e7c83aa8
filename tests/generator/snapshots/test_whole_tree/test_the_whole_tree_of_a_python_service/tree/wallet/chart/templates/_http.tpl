{{- /* Words of rule files and dashboards about requests: the routes of probes and metrics, which nobody calls. */}}
{{- define "service.words" -}}
{{- $probes := .Values.probes -}}
UNCOUNTED: {{ list $probes.startup.path $probes.liveness.path $probes.readiness.path "/metrics" | uniq | join "|" | quote }}
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

{{- /*
"true" where the kubelet itself can wait before SIGTERM (Kubernetes 1.30 and newer), else nothing. Waiting by a command
would need a shell in the image.
*/}}
{{- define "service.kubeletWaits" -}}
{{- if semverCompare ">=1.30.0-0" .Capabilities.KubeVersion.Version }}true{{ end }}
{{- end }}
