// Command check builds a kustomization, and takes what comes of it as the API server of Kubernetes does: it
// decodes it strictly, puts in defaults, and runs the server's own validation, whose code this is. Pods are
// held against the Pod Security Standard "restricted" besides. Warnings count. It prints as JSON all objects
// and all problems.
//
//	check <folder of a kustomization, or one manifest.yaml>
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/apis/apps"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	"k8s.io/kubernetes/pkg/apis/autoscaling"
	_ "k8s.io/kubernetes/pkg/apis/autoscaling/install"
	"k8s.io/kubernetes/pkg/apis/batch"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	"k8s.io/kubernetes/pkg/apis/core"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	corev1conversion "k8s.io/kubernetes/pkg/apis/core/v1"
	"k8s.io/kubernetes/pkg/apis/networking"
	_ "k8s.io/kubernetes/pkg/apis/networking/install"
	"k8s.io/kubernetes/pkg/apis/policy"
	_ "k8s.io/kubernetes/pkg/apis/policy/install"
	"k8s.io/kubernetes/pkg/registry/apps/deployment"
	"k8s.io/kubernetes/pkg/registry/autoscaling/horizontalpodautoscaler"
	"k8s.io/kubernetes/pkg/registry/batch/job"
	"k8s.io/kubernetes/pkg/registry/core/configmap"
	"k8s.io/kubernetes/pkg/registry/core/namespace"
	"k8s.io/kubernetes/pkg/registry/core/service"
	"k8s.io/kubernetes/pkg/registry/core/serviceaccount"
	"k8s.io/kubernetes/pkg/registry/networking/networkpolicy"
	"k8s.io/kubernetes/pkg/registry/policy/poddisruptionbudget"
	podsecurity "k8s.io/pod-security-admission/api"
	podpolicy "k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	sigsyaml "sigs.k8s.io/yaml"
)

func main() {
	documents, err := build(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	report := struct {
		Objects  []json.RawMessage `json:"objects"`
		Problems []string          `json:"problems"`
	}{Problems: []string{}}
	for _, document := range documents {
		object, err := sigsyaml.YAMLToJSON(document)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		report.Objects = append(report.Objects, object)
		report.Problems = append(report.Problems, check(document)...)
	}
	if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
		panic(err)
	}
}

// build does what `kustomize build` and `kubectl apply -k` do, with the same code. A file is taken as it is.
func build(path string) ([][]byte, error) {
	if filepath.Ext(path) == ".yaml" {
		document, err := os.ReadFile(path)
		return [][]byte{document}, err
	}
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), path)
	if err != nil {
		return nil, err
	}
	var documents [][]byte
	for _, resource := range resources.Resources() {
		document, err := resource.AsYAML()
		if err != nil {
			return nil, err
		}
		documents = append(documents, document)
	}
	return documents, nil
}

func check(document []byte) []string {
	var head metav1.PartialObjectMetadata
	if err := sigsyaml.Unmarshal(document, &head); err != nil {
		return []string{err.Error()}
	}
	where := fmt.Sprintf("%s %s: ", head.Kind, head.Name)
	if head.GroupVersionKind().Group == "monitoring.coreos.com" {
		return named(where, checkMonitoring(document, head.GroupVersionKind()))
	}
	codecs := serializer.NewCodecFactory(legacyscheme.Scheme, serializer.EnableStrict)
	object, kind, err := codecs.UniversalDecoder().Decode(document, nil, nil)
	if err != nil {
		return []string{where + err.Error()}
	}
	return named(where, checkObject(object, kind))
}

func named(where string, problems []string) []string {
	for index := range problems {
		problems[index] = where + problems[index]
	}
	return problems
}

// checkObject does what the API server does before it stores a new object.
func checkObject(object runtime.Object, kind *schema.GroupVersionKind) []string {
	strategy, template := strategyFor(object)
	if strategy == nil {
		return []string{"nothing here knows how to check this kind"}
	}
	accessor, err := meta.Accessor(object)
	if err != nil {
		return []string{err.Error()}
	}
	ctx := genericapirequest.WithRequestInfo(context.Background(),
		&genericapirequest.RequestInfo{APIGroup: kind.Group, APIVersion: kind.Version})
	if strategy.NamespaceScoped() {
		if accessor.GetNamespace() == "" {
			accessor.SetNamespace(metav1.NamespaceDefault)
		}
	}
	ctx = genericapirequest.WithNamespace(ctx, accessor.GetNamespace())
	rest.FillObjectMetaSystemFields(accessor)
	if service, ok := object.(*core.Service); ok && service.Spec.ClusterIP == core.ClusterIPNone {
		// As the allocator of addresses does.
		service.Spec.ClusterIPs = []string{core.ClusterIPNone}
	}
	if err := rest.BeforeCreate(strategy, ctx, object); err != nil {
		return []string{err.Error()}
	}
	problems := strategy.WarningsOnCreate(ctx, object)
	if template != nil {
		problems = append(problems, checkPodSecurity(template)...)
	}
	return problems
}

func strategyFor(object runtime.Object) (rest.RESTCreateStrategy, *core.PodTemplateSpec) {
	switch typed := object.(type) {
	case *apps.Deployment:
		return deployment.Strategy, &typed.Spec.Template
	case *batch.Job:
		return job.Strategy, &typed.Spec.Template
	case *autoscaling.HorizontalPodAutoscaler:
		return horizontalpodautoscaler.Strategy, nil
	case *core.ConfigMap:
		return configmap.Strategy, nil
	case *core.Namespace:
		return namespace.Strategy, nil
	case *core.Service:
		return service.Strategy, nil
	case *core.ServiceAccount:
		return serviceaccount.Strategy, nil
	case *networking.NetworkPolicy:
		return networkpolicy.Strategy, nil
	case *policy.PodDisruptionBudget:
		return poddisruptionbudget.Strategy, nil
	}
	return nil, nil
}

func checkPodSecurity(template *core.PodTemplateSpec) []string {
	var external corev1.PodTemplateSpec
	if err := corev1conversion.Convert_core_PodTemplateSpec_To_v1_PodTemplateSpec(template, &external, nil); err != nil {
		return []string{err.Error()}
	}
	evaluator, err := podpolicy.NewEvaluator(podpolicy.DefaultChecks(), nil)
	if err != nil {
		return []string{err.Error()}
	}
	level := podsecurity.LevelVersion{Level: podsecurity.LevelRestricted, Version: podsecurity.LatestVersion()}
	var problems []string
	for _, result := range evaluator.EvaluatePod(level, &external.ObjectMeta, &external.Spec) {
		if !result.Allowed {
			problems = append(problems, fmt.Sprintf("not restricted: %s: %s", result.ForbiddenReason, result.ForbiddenDetail))
		}
	}
	return problems
}

// The Prometheus Operator's kinds are checked by the API server against schemas made from these types.
func checkMonitoring(document []byte, kind schema.GroupVersionKind) []string {
	kinds := map[string]any{"PodMonitor": &monitoring.PodMonitor{}, "PrometheusRule": &monitoring.PrometheusRule{}}
	into, known := kinds[kind.Kind]
	if !known || kind.Version != "v1" {
		return []string{"nothing here knows how to check " + kind.String()}
	}
	if err := sigsyaml.UnmarshalStrict(document, into); err != nil {
		return []string{err.Error()}
	}
	return nil
}
