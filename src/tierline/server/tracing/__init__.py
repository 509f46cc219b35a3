"""Traces: a request's row, and when its calls began, as OpenTelemetry's spans.

tracer      who is traced, and the queue              (on the server's own thread: a list append)
spans       a row → spans                             (on the tracer's thread)
words       the names of attributes                   (GenAI semantic conventions, and Tierline's own)
exporting   spans → a collector, by OTLP over HTTP    (on the tracer's thread; the only file that needs the extra `otel`)
"""
