{{- /* The pods of another service. The argument is {peer: its name, network: .Values.network}. */}}
{{- define "service.peer" -}}
namespaceSelector:
  matchLabels:
    kubernetes.io/metadata.name: {{ .network.peerNamespace | replace "{service}" .peer | quote }}
podSelector:
  matchLabels:
    shiplane.dev/service: {{ .peer | quote }}
{{- end }}

{{- /* The way to DNS, to what the service depends on, and to what else is named: rules of an egress. */}}
{{- define "service.egress" -}}
{{ include "service.dns" . }}
{{- range $name, $dependency := .Values.dependencies }}
# {{ $name }}
{{ include "service.addresses" (dict "cidrs" $dependency.cidrs "ports" (list $dependency.port)) }}
{{- end }}
{{- range .Values.network.egress }}
{{ include "service.addresses" (dict "cidrs" (list .cidr) "ports" .ports) }}
{{- end }}
{{- end }}

{{- /* The same, and what only the service's own pods may reach: the agent of EKS Pod Identity, and those it calls. */}}
{{- define "service.podEgress" -}}
{{ include "service.egress" . }}
{{- if .Values.aws.podIdentity }}
# The agent of EKS Pod Identity, on the pod's own node.
- to:
    - ipBlock:
        cidr: 169.254.170.23/32
  ports:
    - port: 80
      protocol: TCP
{{- end }}
{{- with .Values.calls }}
- to:
    {{- range . }}
    - {{ include "service.peer" (dict "peer" . "network" $.Values.network) | indent 6 | trim }}
    {{- end }}
  ports:
    - port: http
      protocol: TCP
{{- end }}
{{- end }}

{{- define "service.addresses" -}}
- to:
    {{- range .cidrs }}
    - ipBlock:
        cidr: {{ . | quote }}
    {{- end }}
  ports:
    {{- range .ports }}
    - port: {{ int . }}
      protocol: TCP
    {{- end }}
{{- end }}

{{- define "service.dns" -}}
{{- $dns := .Values.network.dns -}}
# DNS
- to:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: {{ $dns.namespace | quote }}
      podSelector:
        matchLabels:
          {{- toYaml $dns.labels | nindent 10 }}
    {{- with $dns.nodeLocal }}
    - ipBlock:
        cidr: {{ . | quote }}
    {{- end }}
  ports:
    - port: 53
      protocol: UDP
    - port: 53
      protocol: TCP
{{- end }}
