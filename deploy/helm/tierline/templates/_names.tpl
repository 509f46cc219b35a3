{{- define "tierline.name" -}}
{{- printf "%s" .Release.Name | trunc 53 | trimSuffix "-" -}}
{{- end -}}

{{- define "tierline.labels" -}}
app.kubernetes.io/name: tierline
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "tierline.allLabels" -}}
{{ include "tierline.labels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{- end -}}
