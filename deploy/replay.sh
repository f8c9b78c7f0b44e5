#!/usr/bin/env bash
# Hands the events of a dead-letter queue to the events function again, and deletes those that it takes. Handling an event twice does
# no harm, so it may be stopped and started at any time.
#
#   ./replay.sh QUEUE_URL FUNCTION_NAME        outputs UndeliveredQueueUrl or UnhandledQueueUrl, and EventsFunctionName, of the stack
#
# Needs the AWS CLI and jq.
set -euo pipefail

if [ $# -ne 2 ]; then
    echo "usage: replay.sh QUEUE_URL FUNCTION_NAME" >&2
    exit 64
fi
queue=$1
function=$2
# SQS gives ten at most.
readonly BATCH=10
# For one batch; the function has 30 s for each event.
readonly HIDDEN_SECONDS=330

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
done_count=0
failed_count=0

while true; do
    aws sqs receive-message --queue-url "$queue" --max-number-of-messages "$BATCH" --visibility-timeout "$HIDDEN_SECONDS" \
        --wait-time-seconds 1 --output json >"$work/batch.json"
    # An empty queue answers nothing at all.
    count=$(jq --slurp '.[0].Messages // [] | length' "$work/batch.json")
    if [ "$count" -eq 0 ]; then break; fi
    for ((index = 0; index < count; index++)); do
        jq --raw-output ".Messages[$index].ReceiptHandle" "$work/batch.json" >"$work/handle"
        # Lambda keeps the event under requestPayload; SNS keeps its own envelope, which the function expects in Records.
        jq ".Messages[$index].Body | fromjson | .requestPayload // {Records: [{EventSource: \"aws:sns\", EventVersion: \"1.0\",
            EventSubscriptionArn: .TopicArn, Sns: (. + {SigningCertUrl: .SigningCertURL, UnsubscribeUrl: .UnsubscribeURL}
            | del(.SigningCertURL, .UnsubscribeURL))}]}" "$work/batch.json" >"$work/event.json"
        # An error of the function is an answer too: with FunctionError.
        error=$(aws lambda invoke --function-name "$function" --cli-binary-format raw-in-base64-out \
            --payload "file://$work/event.json" --query FunctionError --output text "$work/answer")
        if [ "$error" = None ]; then
            aws sqs delete-message --queue-url "$queue" --receipt-handle "$(cat "$work/handle")"
            done_count=$((done_count + 1))
        else
            failed_count=$((failed_count + 1))
        fi
    done
done
printf '%d handled, %d failed and left in the queue\n' "$done_count" "$failed_count"
[ "$failed_count" -eq 0 ]
