{{- /* Words of rule files and dashboards about messages: the minutes in which one at work has to finish something. */}}
{{- define "service.words" -}}
STALLED: {{ int .Values.alerts.stalledMinutes | quote }}
{{- end }}

{{- /* "true" where the container has a port: probes ask it, or Prometheus reads it. Else nothing. */}}
{{- define "service.listens" -}}
{{- if or (eq .Values.probes.by "metrics") .Values.metrics.enabled }}true{{ end }}
{{- end }}

{{- /* One probe. The argument is {probes: .Values.probes, which: startup, liveness or readiness}. */}}
{{- define "service.probe" -}}
{{- $probe := index .probes .which -}}
{{- if eq .probes.by "exec" -}}
exec:
  command:
    {{- toYaml .probes.command | nindent 4 }}
{{- else -}}
httpGet:
  path: {{ $probe.path }}
  port: metrics
{{- end }}
periodSeconds: {{ int $probe.periodSeconds }}
timeoutSeconds: {{ int $probe.timeoutSeconds }}
failureThreshold: {{ int $probe.failureThreshold }}
{{- end }}
