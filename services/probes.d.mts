/** Whether what listens at the endpoint speaks DynamoDB's protocol; rejects when nothing does. */
export function isDynamodb(endpoint: string): Promise<boolean>;
