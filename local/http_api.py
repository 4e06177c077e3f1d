"""Spells out the routes of an HTTP API as resources of their own.

SAM writes them as an OpenAPI document into the API's `Body`, which the emulator ignores: it would answer 404 to everything.
"""

from typing import Any


def spell_out_routes(template: dict[str, Any]) -> dict[str, Any]:
    """Replace the `Body` of each HTTP API by integrations and routes."""
    resources: dict[str, Any] = {}
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::ApiGatewayV2::Api" and "Body" in resource["Properties"]:
            properties = dict(resource["Properties"])
            body = properties.pop("Body")
            resources[name] = resource | {"Properties": {"Name": name, "ProtocolType": "HTTP"} | properties}
            resources |= routes(name, body)
        else:
            resources[name] = resource
    return template | {"Resources": resources}


def routes(api: str, body: dict[str, Any]) -> dict[str, Any]:
    """Give a route and an integration for every operation of an OpenAPI document."""
    resources: dict[str, Any] = {}
    operations = [
        (f"{method.upper()} {path}", operation["x-amazon-apigateway-integration"])
        for path, item in body["paths"].items()
        for method, operation in item.items()
    ]
    for number, (route_key, integration) in enumerate(operations):
        name = f"{api}Route{number}"
        resources[f"{name}Integration"] = {
            "Type": "AWS::ApiGatewayV2::Integration",
            "Properties": {
                "ApiId": {"Ref": api},
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": integration["uri"],
                "PayloadFormatVersion": integration["payloadFormatVersion"],
            },
        }
        resources[name] = {
            "Type": "AWS::ApiGatewayV2::Route",
            "Properties": {
                "ApiId": {"Ref": api},
                "RouteKey": route_key,
                "Target": {"Fn::Sub": f"integrations/${{{name}Integration}}"},
            },
        }
    return resources
